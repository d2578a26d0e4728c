//! The record batches of a partition as they lie on a broker's disk, byte for byte. Shares no code with the replicator.

use kafka_clusters::Cluster;

/// Bytes before the records of a batch.
const HEADER: usize = 61;

/// A batch on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiskBatch {
    pub(crate) base_offset: i64,
    pub(crate) last_offset: i64,
    pub(crate) attributes: i16,
    /// Number of records.
    pub(crate) count: i32,
    /// What follows the header: the records, possibly compressed.
    pub(crate) payload: Vec<u8>,
}

impl DiskBatch {
    pub(crate) fn is_control(&self) -> bool {
        self.attributes & 0x20 != 0
    }

    /// False where compaction has taken records out.
    pub(crate) fn is_dense(&self) -> bool {
        self.last_offset - self.base_offset + 1 == i64::from(self.count)
    }
}

/// All batches of a partition in the order of the log, from the disk of its first broker.
pub(crate) fn batches(cluster: &Cluster, topic: &str, partition: i32) -> Vec<DiskBatch> {
    let folder = cluster.broker(1).data_folder().join(format!("{topic}-{partition}"));
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    files.sort();
    files.iter().flat_map(|file| parse(&std::fs::read(file).unwrap_or_default())).collect()
}

fn parse(mut bytes: &[u8]) -> Vec<DiskBatch> {
    let mut found = Vec::new();
    while bytes.len() >= HEADER {
        let size = 12 + usize::try_from(int(bytes, 8)).unwrap();
        if bytes.len() < size || size < HEADER {
            break;
        }
        assert_eq!(bytes[16], 2, "message format");
        let base_offset = i64::from_be_bytes(bytes[..8].try_into().unwrap());
        found.push(DiskBatch {
            base_offset,
            last_offset: base_offset + i64::from(int(bytes, 23)),
            attributes: i16::from_be_bytes(bytes[21..23].try_into().unwrap()),
            count: int(bytes, 57),
            payload: bytes[HEADER..size].to_vec(),
        });
        bytes = &bytes[size..];
    }
    found
}

fn int(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}
