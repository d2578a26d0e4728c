//! Java class names that files mention: which are understood, and what is said about the others.

use super::notice::{Notice, NoticeLevel, Source};

/// The last part of a class name.
fn simple(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

/// Why `class` cannot be a converter; `None` for the byte converter, by any of its names.
pub(super) fn converter_problem(class: &str) -> Option<String> {
    (!class.is_empty() && simple(class) != "ByteArrayConverter").then(|| {
        "keys, values and headers are copied byte for byte; the only converter is \
         io.confluent.connect.replicator.util.ByteArrayConverter, or leave the key out"
            .to_owned()
    })
}

/// Notices about `interceptor.classes`.
pub(super) fn interceptors(value: &str, source: &Source) -> Vec<Notice> {
    let notice = |class: &str| {
        let (level, text) = match simple(class) {
            "MonitoringConsumerInterceptor" | "MonitoringProducerInterceptor" => (
                NoticeLevel::Info,
                format!("interceptor {class} is accepted and does nothing: Control Center is not fed"),
            ),
            _ => (
                NoticeLevel::Warning,
                format!("interceptor {class} is not run: interceptor.classes cannot load Java classes"),
            ),
        };
        Notice { level, source: Some(source.clone()), text }
    };
    list(value).into_iter().map(notice).collect()
}

/// Text about one of `rest.extension.classes`; `None` if it is built in.
pub(super) fn extension(class: &str) -> Option<String> {
    (simple(class) != "ReplicatorMonitoringExtension").then(|| {
        format!("REST extension {class} is not run: rest.extension.classes cannot load Java classes")
    })
}

/// A comma-separated list.
pub(super) fn list(value: &str) -> Vec<&str> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}
