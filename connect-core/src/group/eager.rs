//! The eager assignor: connectors one after the other to members one after the other, then all tasks in the same way.
//! Called by [`super::Assignor`].

use java::order::compare;

use super::round::{ConfigSnapshot, Round, Share};
use super::work::ConnectorsAndTasks;
use crate::ids::TaskId;

pub(super) fn assign(round: &Round, snapshot: &ConfigSnapshot) -> Vec<Share> {
    let mut members: Vec<&str> = round.members.iter().map(|(id, _)| id.as_str()).collect();
    members.sort_by(|left, right| compare(left, right));
    let mut connectors: Vec<(&String, usize)> = snapshot.connectors.iter().map(|(c, n)| (c, *n)).collect();
    connectors.sort_by(|left, right| compare(left.0, right.0));

    let mut work = vec![ConnectorsAndTasks::default(); members.len()];
    let mut turn = (0..members.len()).cycle();
    let mut next = || turn.next().expect("a group has at least its leader");
    for (connector, _) in &connectors {
        work[next()].connectors.push((*connector).clone());
    }
    for (connector, tasks) in connectors {
        for task in 0..tasks {
            work[next()].tasks.push(TaskId { connector: connector.clone(), task });
        }
    }
    let share = |(member, work): (&str, ConnectorsAndTasks)| Share {
        member: member.to_owned(),
        assigned: work.clone(),
        revoked: ConnectorsAndTasks::default(),
        owned: work,
    };
    members.into_iter().zip(work).map(share).collect()
}
