package org.apache.kafka.connect.runtime.distributed;

import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.kafka.common.message.JoinGroupResponseData.JoinGroupResponseMember;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.connect.storage.ClusterConfigState;
import org.apache.kafka.connect.util.ConnectorTaskId;
import org.mockito.Mockito;

import static org.mockito.ArgumentMatchers.any;

/** A cluster of workers in random trouble, and what Java's assignors make of it. The same seed gives the same rounds. */
final class GroupRounds {
    private static final int[] MAX_DELAYS = {300_000, 60_000, 1_000, 0, 1, 300_000};
    private static final String[] ODD_NAMES = {"Zürich", "\uD83D\uDE00", "\uFF21", "with space", "a-1", "a"};

    private final Random random;
    private final int seed;
    private final int maxDelay;
    private final WorkerCoordinator coordinator = Mockito.mock(WorkerCoordinator.class, Mockito.withSettings().stubOnly());
    private final Time time = Mockito.mock(Time.class, Mockito.withSettings().stubOnly());
    private final Map<String, Integer> configured = new TreeMap<>();
    /** What each member holds; null: it has just come. */
    private final Map<String, ExtendedAssignment> members = new TreeMap<>();
    private WorkerCoordinator.LeaderState leaderState;
    private long now = 1_700_000_000_000L;
    private long configOffset = 10;
    private int generation = 0;
    private int lastCompleted = -1;
    private int named = 0;

    GroupRounds(int seed) {
        this.seed = seed;
        this.random = new Random(seed);
        this.maxDelay = MAX_DELAYS[seed % MAX_DELAYS.length];
        Mockito.when(time.milliseconds()).thenAnswer(call -> now);
        Mockito.when(coordinator.configSnapshot()).thenAnswer(call -> snapshot());
        Mockito.when(coordinator.configFreshSnapshot()).thenAnswer(call -> snapshot());
        Mockito.when(coordinator.generationId()).thenAnswer(call -> generation);
        Mockito.when(coordinator.lastCompletedGenerationId()).thenAnswer(call -> lastCompleted);
        Mockito.doAnswer(call -> leaderState = call.getArgument(0)).when(coordinator).leaderState(any());
        if (growing()) {
            for (int i = 0; i < 6; i++) {
                configured.put("g" + i, 5);
            }
        }
        int workers = seed % 10 == 9 ? 20 : 1 + random.nextInt(5);
        for (int i = 0; i < workers; i++) {
            join();
        }
        int connectors = random.nextInt(seed % 10 == 9 ? 15 : 6);
        for (int i = 0; i < connectors; i++) {
            create();
        }
    }

    /** One leader's rounds, in order. */
    List<ObjectNode> incremental() {
        IncrementalCooperativeAssignor assignor = new IncrementalCooperativeAssignor(new LogContext(), time, maxDelay);
        String protocol = seed % 2 == 0 ? "sessioned" : "compatible";
        List<ObjectNode> rounds = new ArrayList<>();
        int count = seed % 10 == 9 ? 8 : growing() ? 12 : 20;
        for (int round = 0; round < count; round++) {
            if (round > 0) {
                trouble();
            }
            rounds.add(round(assignor, protocol, round == 0));
        }
        return rounds;
    }

    /** One round; the eager assignor remembers nothing. */
    ObjectNode eager() {
        return round(new EagerAssignor(new LogContext()), "default", true);
    }

    private ObjectNode round(ConnectAssignor assignor, String protocol, boolean first) {
        generation++;
        List<String> ids = new ArrayList<>(members.keySet());
        Collections.shuffle(ids, random);
        String leader = ids.get(0);
        boolean behind = !growing() && random.nextInt(25) == 0;
        ObjectNode line = GroupVectors.object().put("seed", seed).put("first", first).put("protocol", protocol)
                .put("max_delay_ms", maxDelay).put("now_ms", now).put("generation", generation)
                .put("last_completed", lastCompleted).put("snapshot_offset", configOffset);
        ObjectNode counts = line.putObject("configured");
        configured.forEach(counts::put);
        ArrayNode joined = line.putArray("members");
        List<JoinGroupResponseMember> all = new ArrayList<>();
        for (String id : ids) {
            // The leader announces what it has seen; others may be behind it, or for once ahead.
            long offset = id.equals(leader) ? configOffset : configOffset - random.nextInt(3) + (behind ? 3 : 0);
            byte[] metadata = metadata(id, offset, protocol);
            // In the order in which the leader reads it.
            ExtendedAssignment held = IncrementalCooperativeConnectProtocol.deserializeMetadata(ByteBuffer.wrap(metadata)).assignment();
            ArrayNode member = joined.addArray().add(id).add(offset);
            if (held != ExtendedAssignment.empty()) {
                member.add(GroupVectors.texts(held.connectors())).add(GroupVectors.texts(held.tasks()));
            }
            all.add(new JoinGroupResponseMember().setMemberId(id).setMetadata(metadata));
        }
        leaderState = null;
        Map<String, ByteBuffer> assigned = assignor.performAssignment(leader, protocol, all, coordinator);
        settle(line, ids, assigned);
        line.set("owners", owners(ids));
        return line;
    }

    private byte[] metadata(String id, long offset, String protocol) {
        ExtendedWorkerState state = new ExtendedWorkerState(url(id), offset, members.get(id));
        return Utils.toArray(protocol.equals("default")
                ? ConnectProtocol.serializeMetadata(state)
                : IncrementalCooperativeConnectProtocol.serializeMetadata(state, protocol.equals("sessioned")));
    }

    private static String url(String id) {
        return "http://" + id + "/";
    }

    /** The members take what they got, unless this round's SyncGroup fails for the leader and so for all. */
    private void settle(ObjectNode line, List<String> ids, Map<String, ByteBuffer> assigned) {
        boolean synced = growing() || random.nextInt(8) != 0;
        ArrayNode all = GroupVectors.array();
        for (String id : ids) {
            ExtendedAssignment got = IncrementalCooperativeConnectProtocol.deserializeAssignment(assigned.get(id).duplicate());
            // The same for all members.
            line.put("version", got.version()).put("error", got.error()).put("leader", ids.indexOf(got.leader()))
                    .put("leader_url", got.leaderUrl()).put("config_offset", got.offset()).put("delay_ms", got.delay());
            all.addArray().add(GroupVectors.texts(got.connectors())).add(GroupVectors.texts(got.tasks()))
                    .add(GroupVectors.texts(got.revokedConnectors())).add(GroupVectors.texts(got.revokedTasks()));
            if (synced && (growing() || random.nextInt(20) != 0)) {
                members.put(id, taken(members.get(id), got));
            }
        }
        line.set("assigned", all);
        if (synced) {
            lastCompleted = generation;
        }
    }

    private static ExtendedAssignment taken(ExtendedAssignment held, ExtendedAssignment got) {
        Set<String> connectors = new LinkedHashSet<>(got.connectors());
        Set<ConnectorTaskId> tasks = new LinkedHashSet<>(got.tasks());
        if (held != null) {
            held.connectors().stream().filter(c -> !got.revokedConnectors().contains(c)).forEach(connectors::add);
            held.tasks().stream().filter(t -> !got.revokedTasks().contains(t)).forEach(tasks::add);
        }
        return new ExtendedAssignment(got.version(), got.error(), got.leader(), got.leaderUrl(), got.offset(),
                connectors, tasks, got.revokedConnectors(), got.revokedTasks(), got.delay());
    }

    /** Whom the leader would forward to: by connector, the places in {@code ids} of the owners of the instance and of each task. */
    private ObjectNode owners(List<String> ids) {
        if (leaderState == null) {
            return null;
        }
        List<String> urls = ids.stream().map(GroupRounds::url).toList();
        ObjectNode node = GroupVectors.object();
        configured.forEach((name, count) -> {
            ArrayNode places = node.putArray(name).add(urls.indexOf(owner(String.class, name)));
            for (int task = 0; task < count; task++) {
                places.add(urls.indexOf(owner(ConnectorTaskId.class, new ConnectorTaskId(name, task))));
            }
        });
        return node;
    }

    private String owner(Class<?> type, Object what) {
        try {
            Method method = WorkerCoordinator.LeaderState.class.getDeclaredMethod("ownerUrl", type);
            method.setAccessible(true);
            return (String) method.invoke(leaderState, what);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A cluster to which a worker comes in every round, so that every round has something to revoke. */
    private boolean growing() {
        return seed % 7 == 4;
    }

    private void trouble() {
        if (growing()) {
            int[] steps = {1, 40, 41, 1_600, 64_000};
            now += steps[random.nextInt(steps.length)];
            join();
            return;
        }
        int[] steps = {0, 1, 39, 40, 100, 1_600, 30_000, 61_000, 299_999, 300_000, 700_000};
        now += steps[random.nextInt(steps.length)];
        int events = random.nextInt(3);
        for (int i = 0; i < events; i++) {
            event();
        }
    }

    private void event() {
        switch (random.nextInt(9)) {
            case 0, 1 -> join();
            case 2, 3 -> leave();
            case 4, 5 -> create();
            case 6 -> delete();
            case 7 -> resize();
            default -> forgetOrKeep();
        }
    }

    private void join() {
        members.put("w" + named++ + "-" + Integer.toHexString(random.nextInt()), null);
    }

    private void leave() {
        if (members.size() > 1) {
            members.remove(anyMember());
        }
    }

    private String anyMember() {
        return new ArrayList<>(members.keySet()).get(random.nextInt(members.size()));
    }

    private void create() {
        String name = random.nextInt(6) == 0 ? ODD_NAMES[random.nextInt(ODD_NAMES.length)] : "c" + random.nextInt(40);
        configured.put(name, random.nextInt(4));
        configOffset += 3;
    }

    private void delete() {
        if (!configured.isEmpty()) {
            configured.remove(anyConnector());
            configOffset += 2;
        }
    }

    private void resize() {
        if (!configured.isEmpty()) {
            configured.put(anyConnector(), random.nextInt(6));
            configOffset += 4;
        }
    }

    private String anyConnector() {
        return new ArrayList<>(configured.keySet()).get(random.nextInt(configured.size()));
    }

    /** A member comes back with nothing, or with what another holds too. */
    private void forgetOrKeep() {
        String id = anyMember();
        members.put(id, random.nextBoolean() ? null : members.get(anyMember()));
    }

    private ClusterConfigState snapshot() {
        Map<String, Map<String, String>> configs = new TreeMap<>();
        configured.keySet().forEach(name -> configs.put(name, Map.of("name", name)));
        return new ClusterConfigState(configOffset, null, configured, configs, Map.of(), Map.of(), Map.of(), Map.of(), Map.of(),
                Set.of(), Set.of());
    }
}
