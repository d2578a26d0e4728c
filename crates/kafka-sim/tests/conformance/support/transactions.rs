//! Producer ids and transactions.

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, EndTxnRequest, EndTxnResponse, InitProducerIdRequest, InitProducerIdResponse,
    ProducerId, TransactionalId,
};

use super::{Batch, Send, T, code, name, text};

/// A producer id as a broker gave it.
#[derive(Debug, Clone)]
pub(crate) struct Producer {
    pub(crate) transaction: String,
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

impl T<'_> {
    pub(crate) fn init(
        &mut self,
        transaction: Option<&str>,
        timeout: i32,
        current: (i64, i16),
    ) -> InitProducerIdResponse {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(transaction.map(|id| TransactionalId(text(id))))
            .with_transaction_timeout_ms(timeout)
            .with_producer_id(ProducerId(current.0))
            .with_producer_epoch(current.1);
        if let Some(id) = transaction {
            self.coordinator(1, id);
        }
        // Coordinators may still be loading, or busy with an abort.
        self.until("a producer id", |t| {
            let answer = t.client.call(4, &request);
            (!is_busy(answer.error_code)).then_some(answer)
        })
    }

    /// A producer id without transactions.
    pub(crate) fn idempotent(&mut self, name: &str) -> Producer {
        let answer = self.init(None, -1, (-1, -1));
        assert_eq!(answer.error_code, 0, "a producer id");
        self.call_it(answer.producer_id.0, name);
        Producer { transaction: String::new(), id: answer.producer_id.0, epoch: answer.producer_epoch }
    }

    /// A transactional producer whose transactions end after a minute.
    pub(crate) fn transactional(&mut self, name: &str) -> Producer {
        let transaction = self.unique(name);
        self.transactional_again(&transaction, name, 60_000)
    }

    pub(crate) fn transactional_again(&mut self, transaction: &str, name: &str, timeout: i32) -> Producer {
        let answer = self.init(Some(transaction), timeout, (-1, -1));
        assert_eq!(answer.error_code, 0, "a transactional producer id");
        self.call_it(answer.producer_id.0, name);
        Producer {
            transaction: transaction.to_owned(),
            id: answer.producer_id.0,
            epoch: answer.producer_epoch,
        }
    }

    /// Adds a partition as clients of version 1 transactions do.
    pub(crate) fn add_partition(&mut self, producer: &Producer, topic: &str, partition: i32) -> String {
        let topic =
            AddPartitionsToTxnTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(TransactionalId(text(&producer.transaction)))
            .with_v3_and_below_producer_id(ProducerId(producer.id))
            .with_v3_and_below_producer_epoch(producer.epoch)
            .with_v3_and_below_topics(vec![topic]);
        let answer = self.until("the end of the transaction before", |t| {
            let answer = t.client.call(3, &request);
            let error = answer.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code;
            (!is_busy(error)).then_some(error)
        });
        code(answer)
    }

    /// Ends a transaction as clients of version 1 transactions do.
    pub(crate) fn end_transaction(&mut self, producer: &Producer, commit: bool) -> String {
        code(self.end_in(3, producer, commit).error_code)
    }

    /// Ends a transaction with a version of EndTxn.
    pub(crate) fn end_in(&mut self, version: i16, producer: &Producer, commit: bool) -> EndTxnResponse {
        let request = EndTxnRequest::default()
            .with_transactional_id(TransactionalId(text(&producer.transaction)))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_committed(commit);
        self.until("the coordinator", |t| {
            let answer = t.client.call(version, &request);
            (!is_busy(answer.error_code)).then_some(answer)
        })
    }
}

/// Whether a coordinator is still loading, elsewhere, or at the end of the transaction before.
pub(crate) fn is_busy(error: i16) -> bool {
    [14, 15, 16, 51].contains(&error)
}

impl Producer {
    /// A transactional batch of `n` records.
    pub(crate) fn batch(&self, base: i64, sequence: i32, n: usize) -> Batch {
        Batch::numbered(base, n).transactional().by(self.id, self.epoch, sequence)
    }

    /// Its Produce request.
    pub(crate) fn send(&self, topic: &str, batch: &Batch) -> Send {
        Send::to(topic, batch.encode()).within(&self.transaction)
    }
}
