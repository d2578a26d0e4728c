//! Texts of `replicator --help`.

/// Above the parameters.
pub(super) const ABOUT: &str =
    "Copies topics from one Kafka cluster to another, byte for byte, inside a Kafka Connect worker";

/// Below the parameters; the exit codes follow.
pub(super) const AFTER: &str = "\
Examples:
  See it at work with nothing installed: two embedded clusters and the replicator between them:
    replicator demo

  Copy one topic, renamed, between two clusters:
    replicator --cluster.id replicator --consumer.config consumer.properties \\
               --producer.config producer.properties --whitelist orders \\
               --topic.rename.format '${topic}.replica'

  Everything that starts with 'shop.', with all other settings in a file:
    replicator --cluster.id replicator --consumer.config consumer.properties \\
               --producer.config producer.properties \\
               --replication.config replication.properties --topic.regex 'shop\\..*'

  Check the files and see every setting with where it came from, without starting:
    replicator … --dry-run

Values may follow '=' or a blank. A parameter wins over its environment variable, and both win over the
files. Environment: each parameter is also read from its name in capitals with '_' for '.', for example
CONSUMER_CONFIG or TOPIC_REGEX. If neither --consumer.config nor --producer.config is given, files that are
not named are looked for as /etc/replicator/consumer.properties and so on, and the cluster id is 'replicator'
unless set.

";
