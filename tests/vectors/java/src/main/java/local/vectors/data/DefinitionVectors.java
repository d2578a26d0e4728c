package local.vectors.data;

import java.util.List;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/** The settings of every plugin. */
final class DefinitionVectors {
    private static final List<String> SIDED = List.of("Cast", "ExtractField", "Flatten", "HeaderFrom", "HoistField", "InsertField", "MaskField", "ReplaceField", "SetSchemaMetadata", "TimestampConverter");
    private static final List<String> SINGLE = List.of("DropHeaders", "Filter", "InsertHeader", "RegexRouter", "TimestampRouter", "ValueToKey", "predicates.HasHeaderKey", "predicates.RecordIsTombstone", "predicates.TopicNameMatches");
    private static final List<String> CONVERTERS = List.of("json.JsonConverter", "storage.StringConverter", "storage.SimpleHeaderConverter", "converters.ByteArrayConverter", "converters.BooleanConverter",
            "converters.ShortConverter", "converters.IntegerConverter", "converters.LongConverter", "converters.FloatConverter", "converters.DoubleConverter");

    private DefinitionVectors() { }

    static void add(Output output) {
        Stream.of(SIDED.stream().flatMap(name -> Stream.of("transforms." + name + "$Key", "transforms." + name + "$Value")), SINGLE.stream().map(name -> "transforms." + name), CONVERTERS.stream())
                .flatMap(names -> names).map(name -> "org.apache.kafka.connect." + name).forEach(name -> add(output, name));
    }

    private static void add(Output output, String name) {
        output.add(Notation.object().put("class", name), () -> {
            ArrayNode keys = Notation.json("[]").deepCopy();
            for (ConfigDef.ConfigKey key : definition(name).configKeys().values()) {
                ObjectNode node = keys.addObject().put("name", key.name).put("type", key.type.toString()).put("required", !key.hasDefault());
                node.set("default", Notation.text(key.hasDefault() ? ConfigDef.convertToString(key.defaultValue, key.type) : null));
                node.put("importance", key.importance.toString()).put("group", key.group).put("order", key.orderInGroup);
                node.put("width", key.width.toString()).put("display", key.displayName);
            }
            return keys;
        });
    }

    private static ConfigDef definition(String name) throws Exception {
        Object plugin = Class.forName(name).getConstructor().newInstance();
        if (plugin instanceof Transformation)
            return ((Transformation<?>) plugin).config();
        if (plugin instanceof Predicate)
            return ((Predicate<?>) plugin).config();
        return plugin instanceof Converter ? ((Converter) plugin).config() : ((HeaderConverter) plugin).config();
    }
}
