//! Strict in-process Kafka cluster.
