//! One suite of raw-protocol cases, run against real brokers 3.9 and 4.3 and against kafka-sim as either release.
//!
//! A case sends requests and notes what it sees; random values have names in its transcript. The transcripts of the real
//! brokers are recorded in `golden/`:
//!
//! - `real_…` tests run every case against a real broker and check that the recorded transcripts are true, and that the
//!   broker follows the rules that the cases state. `CONFORMANCE_RECORD=1` records instead;
//!   `CONFORMANCE_CASES=row_06,fetch` runs only the cases whose names contain one of these.
//! - `sim_…` tests run one case each against kafka-sim, without Java, and compare with the record. A difference is a
//!   failure unless `known.rs` lists it with its reason.

#![allow(clippy::unwrap_used)]

mod cluster;
mod compaction;
mod configs;
mod epochs;
mod fetch;
mod fetch_sessions;
mod group_admin;
mod group_offsets;
mod groups;
mod known;
mod offsets;
mod produce;
mod rows_format;
mod rows_producer;
mod rows_time;
mod rows_topic;
mod support;
mod topics;
mod transactions;
mod transactions_v2;
mod versions;

use support::run::Case;
use support::{Release, golden, real, run, sim};

/// Lists the cases, and makes a test per case and release for kafka-sim.
macro_rules! cases {
    ($($family:ident { $($case:ident),* $(,)? })*) => {
        const CASES: &[Case] = &[$($(Case { name: stringify!($case), run: $family::$case }),*),*];

        mod sim_3_9 {
            $($(#[test] fn $case() { super::check_sim(super::Release::V3_9, stringify!($case)); })*)*
        }

        mod sim_4_3 {
            $($(#[test] fn $case() { super::check_sim(super::Release::V4_3, stringify!($case)); })*)*
        }
    };
}

cases! {
    rows_format {
        row_01_magic,
        row_02_one_batch_per_partition,
        row_02_same_partition_twice,
        row_03_base_offset,
        row_04_length_and_leader_epoch,
        row_05_crc,
        row_06_count_and_gaps,
        row_07_inner_deltas,
        row_08_control,
    }
    rows_producer {
        row_09_transactional_without_a_transaction,
        row_09_transactional_not_added,
        row_10_foreign_producer_ids,
        row_11_sequences,
        row_11_duplicates,
        row_11_epochs_and_wrap,
        row_11_first_sequence_in_a_transaction,
    }
    rows_time {
        row_12_timestamp_type,
        row_13_timestamp_range,
        row_14_delete_horizon,
        row_15_unused_attribute_bits,
        row_15_max_timestamp_is_repaired,
    }
    rows_topic {
        row_16_compaction_needs_keys,
        row_17_codec_of_the_topic,
        row_18_codecs,
        row_19_size,
        row_20_acks,
        row_21_internal_topics,
        row_22_tombstones,
        row_23_topic_ids,
        row_24_throttling,
        row_25_retention_of_old_timestamps,
    }
    produce {
        produce_versions,
        produce_needs_replicas,
        produce_to_several,
    }
    versions {
        versions_of_topics,
        versions_of_records_and_epochs,
        versions_of_configs,
        versions_of_transactions,
    }
    compaction {
        row_06_compacted_batches_as_they_are,
        row_07_compacted_batches_with_a_patched_header,
        row_14_delete_horizon_and_the_cleaner,
        compaction_shapes,
        compaction_with_deletes,
        compaction_of_transactions,
    }
    fetch {
        fetch_partition_limit,
        fetch_total_limit,
        fetch_positions,
        fetch_waits,
        fetch_several_partitions,
        fetch_zstd_in_old_versions,
        fetch_wait_and_the_end_of_the_topic,
    }
    fetch_sessions {
        fetch_session_increments,
        fetch_session_errors,
        fetch_session_with_topic_ids,
    }
    epochs {
        epochs_fence_fetches,
        epochs_fence_list_offsets,
        epochs_and_their_ends,
    }
    offsets {
        list_offsets_by_time,
        list_offsets_versions,
        list_offsets_log_append_time,
        delete_records_moves_the_start,
    }
    topics {
        create_topics_results,
        create_topics_errors,
        delete_topics,
        create_partitions,
        metadata_of_topics,
        metadata_of_the_cluster,
    }
    configs {
        configs_of_a_topic,
        configs_of_a_broker,
        configs_altered,
        configs_changed_one_by_one,
        configs_take_effect,
    }
    cluster {
        api_versions,
        unsupported_versions,
        describe_cluster,
        find_coordinator,
        producer_ids,
        describe_producers,
    }
    groups {
        group_of_one,
        group_of_two,
        group_errors,
        group_errors_of_a_first_join,
        group_chooses_a_protocol,
        group_of_static_members,
        group_session_ends,
        group_waits_for_a_rebalance,
        group_sync_cut_short,
        group_leader_never_syncs,
        group_versions_of_small_requests,
    }
    group_offsets {
        offsets_without_members,
        offsets_versions,
        offsets_of_members,
        offsets_deleted,
    }
    group_admin {
        groups_described,
        groups_listed,
        groups_deleted,
    }
    transactions {
        transaction_committed,
        transaction_aborted,
        transaction_errors,
        transaction_fencing,
        transaction_timeout,
        transaction_over_partitions,
        transaction_holds_readers_back,
    }
    transactions_v2 {
        transaction_v2,
        transaction_v2_fencing,
        transaction_with_offsets,
    }
}

fn selected() -> Vec<Case> {
    let wanted = std::env::var("CONFORMANCE_CASES").unwrap_or_default();
    let names: Vec<&str> = wanted.split(',').filter(|name| !name.is_empty()).collect();
    let is_wanted = |case: &&Case| names.is_empty() || names.iter().any(|name| case.name.contains(name));
    CASES.iter().filter(is_wanted).copied().collect()
}

fn check_real(release: Release) {
    let target = real::Real::start(release);
    let outcomes = run::run_all(&target, &selected());
    if std::env::var_os("CONFORMANCE_RECORD").is_some() {
        let mut golden = golden::Golden::read(release);
        outcomes.iter().for_each(|(case, lines)| golden.record(case, lines));
        golden.keep(&CASES.iter().map(|case| case.name).collect::<Vec<_>>());
        golden.write(release);
    }
    run::assert_none(&run::check_real(release, &outcomes));
}

fn check_sim(release: Release, name: &str) {
    let case = CASES.iter().find(|case| case.name == name).expect("a case of the list");
    let target = sim::Sim::start(release);
    let lines = run::run(&target, case);
    run::assert_none(&run::check_sim(release, case.name, &lines));
}

#[test]
fn sim_accepted_differences_are_differences() {
    for row in known::KNOWN {
        for release in [Release::V3_9, Release::V4_3] {
            if row.release.is_some_and(|only| only != release) {
                continue;
            }
            let golden = golden::Golden::read(release);
            let lines = golden.case(row.case).unwrap_or_else(|| panic!("{} is no case", row.case));
            let real = lines.iter().find(|(label, _)| label == row.label);
            let (_, real) = real.unwrap_or_else(|| panic!("{} notes no {}", row.case, row.label));
            assert_ne!(real, row.sim, "{} · {} is no difference any more", row.case, row.label);
        }
    }
}

#[test]
fn real_3_9_answers_as_recorded() {
    check_real(Release::V3_9);
}

#[test]
fn real_4_3_answers_as_recorded() {
    check_real(Release::V4_3);
}
