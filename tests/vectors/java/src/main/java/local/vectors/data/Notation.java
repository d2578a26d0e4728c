package local.vectors.data;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;

import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;

/** Schemas, values and exceptions as JSON that loses nothing; ../README.md describes it. */
final class Notation {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final ObjectMapper MAPPER = new ObjectMapper()
            .enable(JsonParser.Feature.ALLOW_SINGLE_QUOTES)
            .enable(JsonParser.Feature.ALLOW_UNQUOTED_FIELD_NAMES);

    private Notation() { }

    /** JSON, with single quotes and bare member names for brevity. */
    static JsonNode json(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (IOException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    static Object value(String text) {
        return value(json(text));
    }

    static Schema schema(String text) {
        return schema(json(text));
    }

    static ObjectNode object() {
        return NODES.objectNode();
    }

    static JsonNode text(String text) {
        return text == null ? NODES.nullNode() : TextNode.valueOf(text);
    }

    static Object value(JsonNode node) {
        if (node == null || node.isNull())
            return null;
        Map.Entry<String, JsonNode> only = node.fields().next();
        JsonNode v = only.getValue();
        switch (only.getKey()) {
            case "bool": return v.booleanValue();
            case "i8": return (byte) v.asInt();
            case "i16": return (short) v.asInt();
            case "i32": return v.asInt();
            case "i64": return Long.parseLong(v.asText());
            case "f32": return Float.intBitsToFloat(v.asInt());
            case "f64": return Double.longBitsToDouble(Long.parseLong(v.asText()));
            case "float": return Float.parseFloat(v.asText());
            case "double": return Double.parseDouble(v.asText());
            case "s": return v.asText();
            case "b": return HexFormat.of().parseHex(v.asText());
            case "dec": return new BigDecimal(new BigInteger(v.get(0).asText()), v.get(1).asInt());
            case "date": return new Date(Long.parseLong(v.asText()));
            case "a": {
                List<Object> list = new ArrayList<>();
                v.forEach(item -> list.add(value(item)));
                return list;
            }
            case "m":
            case "lm": {
                Map<Object, Object> map = only.getKey().equals("m") ? new HashMap<>() : new LinkedHashMap<>();
                v.forEach(pair -> map.put(value(pair.get(0)), value(pair.get(1))));
                return map;
            }
            case "st": {
                Schema schema = schema(v.get(0));
                Struct struct = new Struct(schema);
                for (int i = 0; i < schema.fields().size(); i++)
                    struct.put(schema.fields().get(i), value(v.get(1).get(i)));
                return struct;
            }
            default: throw new IllegalArgumentException(node.toString());
        }
    }

    static Schema schema(JsonNode node) {
        if (node == null || node.isNull())
            return null;
        if (node.isTextual())
            return SchemaBuilder.type(Schema.Type.valueOf(node.asText())).build();
        Schema.Type type = Schema.Type.valueOf(node.get("t").asText());
        SchemaBuilder builder;
        switch (type) {
            case ARRAY: builder = SchemaBuilder.array(schema(node.get("e"))); break;
            case MAP: builder = SchemaBuilder.map(schema(node.get("k")), schema(node.get("e"))); break;
            default: builder = SchemaBuilder.type(type);
        }
        if (node.has("f"))
            node.get("f").forEach(field -> builder.field(field.get(0).asText(), schema(field.get(1))));
        if (node.path("o").asBoolean())
            builder.optional();
        if (node.has("n"))
            builder.name(node.get("n").asText());
        if (node.has("v"))
            builder.version(node.get("v").asInt());
        if (node.has("doc"))
            builder.doc(node.get("doc").asText());
        if (node.has("p"))
            node.get("p").forEach(pair -> builder.parameter(pair.get(0).asText(), pair.get(1).asText()));
        if (node.has("d")) {
            Object value = value(node.get("d"));
            // The default of a struct has a schema without default.
            builder.defaultValue(type == Schema.Type.STRUCT ? rebuilt((Struct) value, builder) : value);
        }
        return builder.build();
    }

    private static Struct rebuilt(Struct struct, Schema schema) {
        Struct result = new Struct(schema);
        for (Field field : struct.schema().fields())
            result.put(field.name(), struct.getWithoutDefault(field.name()));
        return result;
    }

    static JsonNode node(Object value) {
        if (value == null)
            return NODES.nullNode();
        if (value instanceof Schema)
            return node((Schema) value);
        ObjectNode node = NODES.objectNode();
        if (value instanceof Boolean)
            node.put("bool", (Boolean) value);
        else if (value instanceof Byte)
            node.put("i8", (Byte) value);
        else if (value instanceof Short)
            node.put("i16", (Short) value);
        else if (value instanceof Integer)
            node.put("i32", (Integer) value);
        else if (value instanceof Long)
            node.put("i64", value.toString());
        else if (value instanceof Float)
            node.put("f32", Float.floatToIntBits((Float) value));
        else if (value instanceof Double)
            node.put("f64", Long.toString(Double.doubleToLongBits((Double) value)));
        else if (value instanceof String)
            node.put("s", (String) value);
        else if (value instanceof byte[])
            node.put("b", HexFormat.of().formatHex((byte[]) value));
        else if (value instanceof BigDecimal)
            node.putArray("dec").add(((BigDecimal) value).unscaledValue().toString()).add(((BigDecimal) value).scale());
        else if (value instanceof Date)
            node.put("date", Long.toString(((Date) value).getTime()));
        else if (value instanceof List) {
            ArrayNode items = node.putArray("a");
            ((List<?>) value).forEach(item -> items.add(node(item)));
        } else if (value instanceof Map) {
            ArrayNode pairs = node.putArray(value instanceof LinkedHashMap ? "lm" : "m");
            ((Map<?, ?>) value).forEach((k, v) -> pairs.addArray().add(node(k)).add(node(v)));
        } else if (value instanceof Struct) {
            Struct struct = (Struct) value;
            ArrayNode pair = node.putArray("st").add(node(struct.schema()));
            ArrayNode values = pair.addArray();
            struct.schema().fields().forEach(field -> values.add(node(struct.getWithoutDefault(field.name()))));
        } else
            throw new IllegalArgumentException(value.getClass().toString());
        return node;
    }

    static JsonNode node(Schema schema) {
        if (schema == null)
            return NODES.nullNode();
        ObjectNode node = NODES.objectNode();
        node.put("t", schema.type().toString());
        if (schema.isOptional())
            node.put("o", true);
        if (schema.name() != null)
            node.put("n", schema.name());
        if (schema.version() != null)
            node.put("v", schema.version());
        if (schema.doc() != null)
            node.put("doc", schema.doc());
        if (schema.parameters() != null) {
            ArrayNode pairs = node.putArray("p");
            schema.parameters().forEach((k, v) -> pairs.addArray().add(k).add(v));
        }
        if (schema.type() == Schema.Type.STRUCT) {
            ArrayNode fields = node.putArray("f");
            schema.fields().forEach(field -> fields.addArray().add(field.name()).add(node(field.schema())));
        }
        if (schema.type() == Schema.Type.MAP)
            node.set("k", node(schema.keySchema()));
        if (schema.type() == Schema.Type.MAP || schema.type() == Schema.Type.ARRAY)
            node.set("e", node(schema.valueSchema()));
        if (schema.defaultValue() instanceof Struct) {
            // Its schema is that of the field, which would never end.
            ArrayNode values = node.putArray("d");
            Struct struct = (Struct) schema.defaultValue();
            struct.schema().fields().forEach(field -> values.add(node(struct.getWithoutDefault(field.name()))));
        } else if (schema.defaultValue() != null)
            node.set("d", node(schema.defaultValue()));
        return node;
    }

    /** Schema and value; the schema of a struct is not written a second time. */
    static ArrayNode pair(Schema schema, Object value) {
        JsonNode node = node(value);
        if (value instanceof Struct && ((Struct) value).schema().equals(schema))
            ((ArrayNode) node.get("st")).set(0, TextNode.valueOf("="));
        return NODES.arrayNode().add(node(schema)).add(node);
    }

    /** Class and message of an exception, and of its causes. */
    static ObjectNode error(Throwable e) {
        ObjectNode node = NODES.objectNode();
        ArrayNode chain = node.putArray("error");
        for (Throwable t = e; t != null; t = t.getCause()) {
            // Object ids change from run to run.
            String message = t.getMessage() == null ? null : t.getMessage().replaceAll("@[0-9a-f]{5,}", "@");
            chain.addArray().add(t.getClass().getName()).add(text(message));
        }
        return node;
    }
}
