//! DescribeConfigs, AlterConfigs, IncrementalAlterConfigs.

use kafka_protocol::messages::{RequestKind, ResponseKind};

use super::Context;

/// Answers what is of this family; gives back what is not.
pub(super) fn handle(_context: &Context, request: RequestKind) -> Result<ResponseKind, Box<RequestKind>> {
    Err(Box::new(request))
}
