package org.apache.kafka.connect.runtime.distributed;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.connect.util.ConnectorTaskId;

/** The group protocol: bytes of metadata and assignments, and rounds of both assignors. Lives in this package because the classes do. */
public final class GroupVectors {
    private static final ObjectMapper JSON = new ObjectMapper();

    private GroupVectors() { }

    public static void write(Path folder) throws Exception {
        Files.createDirectories(folder);
        save(folder.resolve("bytes.jsonl"), bytes());
        List<ObjectNode> incremental = new ArrayList<>();
        for (int seed = 0; seed < 42; seed++) {
            incremental.addAll(new GroupRounds(seed).incremental());
        }
        save(folder.resolve("incremental.jsonl"), incremental);
        List<ObjectNode> eager = new ArrayList<>();
        for (int seed = 0; seed < 30; seed++) {
            eager.add(new GroupRounds(1000 + seed).eager());
        }
        save(folder.resolve("eager.jsonl"), eager);
    }

    private static void save(Path file, List<ObjectNode> lines) throws Exception {
        StringBuilder text = new StringBuilder();
        for (ObjectNode line : lines) {
            text.append(JSON.writeValueAsString(line)).append('\n');
        }
        Files.writeString(file, text);
    }

    static ObjectNode object() {
        return JSON.createObjectNode();
    }

    static ArrayNode array() {
        return JSON.createArrayNode();
    }

    static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte b : bytes) {
            text.append(String.format("%02x", b));
        }
        return text.toString();
    }

    static String hex(ByteBuffer buffer) {
        return hex(Utils.toArray(buffer.duplicate()));
    }

    /** An assignment or allocation as JSON: null stays null. */
    static ObjectNode describe(ExtendedAssignment assignment) {
        if (assignment == null) {
            return null;
        }
        ObjectNode node = object();
        node.put("version", assignment.version());
        node.put("error", assignment.error());
        node.put("leader", assignment.leader());
        node.put("leader_url", assignment.leaderUrl());
        node.put("config_offset", assignment.offset());
        node.set("connectors", texts(assignment.connectors()));
        node.set("tasks", texts(assignment.tasks()));
        node.set("revoked_connectors", texts(assignment.revokedConnectors()));
        node.set("revoked_tasks", texts(assignment.revokedTasks()));
        node.put("delay_ms", assignment.delay());
        return node;
    }

    static ArrayNode texts(Collection<?> items) {
        ArrayNode array = array();
        items.forEach(item -> array.add(item.toString()));
        return array;
    }

    private static List<ObjectNode> bytes() {
        List<ObjectNode> lines = new ArrayList<>();
        Random random = new Random(7);
        for (int n = 0; n < 24; n++) {
            short version = (short) (1 + n % 2);
            ExtendedAssignment assignment = assignment(random, version, n);
            ByteBuffer written = IncrementalCooperativeConnectProtocol.serializeAssignment(assignment, version == 2);
            lines.add(line("assignment", "wire", written)
                    .set("value", describe(IncrementalCooperativeConnectProtocol.deserializeAssignment(written.duplicate()))));
            ConnectProtocol.Assignment old = new ConnectProtocol.Assignment(assignment.error(), assignment.leader(),
                    assignment.leaderUrl(), assignment.offset(), assignment.connectors(), assignment.tasks());
            ByteBuffer eager = ConnectProtocol.serializeAssignment(old);
            lines.add(line("assignment", "wire", eager)
                    .set("value", describe(IncrementalCooperativeConnectProtocol.deserializeAssignment(eager.duplicate()))));
            String url = n % 5 == 0 ? "" : "http://host-" + n + ":8083/";
            long offset = n % 7 == 0 ? -1 : random.nextLong() >>> random.nextInt(64);
            lines.addAll(metadata(new ExtendedWorkerState(url, offset, n % 3 == 0 ? null : assignment)));
        }
        return lines;
    }

    /** What a worker offers in JoinGroup, by protocol. */
    private static List<ObjectNode> metadata(ExtendedWorkerState state) {
        List<ObjectNode> lines = new ArrayList<>();
        for (JoinGroupRequestProtocol offered : IncrementalCooperativeConnectProtocol.metadataRequest(state, true)) {
            ObjectNode value = object();
            value.put("url", state.url());
            value.put("config_offset", state.offset());
            boolean eager = offered.name().equals("default");
            value.set("allocation", eager || state.assignment() == ExtendedAssignment.empty() ? null : describe(
                    IncrementalCooperativeConnectProtocol.deserializeMetadata(ByteBuffer.wrap(offered.metadata())).assignment()));
            lines.add(line("metadata", offered.name(), ByteBuffer.wrap(offered.metadata())).set("value", value));
        }
        return lines;
    }

    private static ObjectNode line(String kind, String protocol, ByteBuffer bytes) {
        return object().put("kind", kind).put("protocol", protocol).put("hex", hex(bytes));
    }

    private static ExtendedAssignment assignment(Random random, short version, int n) {
        short error = (short) (n % 6 == 5 ? 1 : 0);
        int most = error == 0 ? n % 5 : 0;
        Map<String, Integer> given = connectors(random, most);
        Map<String, Integer> revoked = connectors(random, most / 2);
        return new ExtendedAssignment(version, error, "leader-" + n, "http://leader:" + (8083 + n) + "/", random.nextInt(1000),
                given.keySet(), tasks(given), revoked.keySet(), tasks(revoked), n % 4 == 0 ? 0 : random.nextInt(300_000));
    }

    private static Map<String, Integer> connectors(Random random, int most) {
        Map<String, Integer> map = new TreeMap<>();
        String[] names = {"a", "file-source", "Zürich", "\uD83D\uDE00", "with space", "x.y_z-0"};
        for (int i = 0; i < most; i++) {
            map.put(names[random.nextInt(names.length)], random.nextInt(4));
        }
        return map;
    }

    private static List<ConnectorTaskId> tasks(Map<String, Integer> connectors) {
        List<ConnectorTaskId> tasks = new ArrayList<>();
        connectors.forEach((name, count) -> {
            for (int task = 0; task < count; task++) {
                tasks.add(new ConnectorTaskId(name, task));
            }
        });
        tasks.add(new ConnectorTaskId("task-only", 12));
        return tasks;
    }
}
