package local.vectors.data;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TimeZone;

import com.fasterxml.jackson.databind.node.ObjectNode;

import org.apache.kafka.connect.data.Schema;

/** Cases by chance, in the files of {@link DataVectors}; system properties: {@code seed}, and {@code count} of each kind. */
public final class RandomVectors {
    private final RandomValues values;
    private final int count;

    private RandomVectors(long seed, int count) {
        values = new RandomValues(seed);
        this.count = count;
    }

    public static void write(Path folder) throws Exception {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        Locale.setDefault(Locale.US);
        new RandomVectors(Long.getLong("seed", 1), Integer.getInteger("count", 2000)).writeAll(folder);
    }

    private void writeAll(Path folder) throws Exception {
        Output json = new Output();
        Output headers = new Output();
        Output transforms = new Output();
        Output texts = new Output();
        RandomTexts words = new RandomTexts(values);
        for (int i = 0; i < count; i++) {
            json(json, words);
            headers(headers, words);
            transform(transforms, words);
            texts(texts, words);
        }
        json.write(folder.resolve("json.jsonl"));
        headers.write(folder.resolve("converters.jsonl"));
        transforms.write(folder.resolve("transforms.jsonl"));
        texts.write(folder.resolve("texts.jsonl"));
    }

    private String jsonConfig(boolean schemas) {
        return "{'schemas.enable':'" + schemas + "','decimal.format':'" + (values.chance(50) ? "NUMERIC" : "base64") + "','replace.null.with.default':'" + values.chance(70) + "'}";
    }

    private void json(Output output, RandomTexts words) {
        Schema schema = null;
        Object value;
        try {
            if (values.chance(70)) {
                schema = values.schema(3);
                value = values.valueOf(schema, 3);
            } else
                value = values.value(3);
            JsonVectors.to(output, jsonConfig(values.chance(50)), schema, value);
        } catch (RuntimeException e) {
            // Java refuses to build it.
        }
        JsonVectors.from(output, "{'schemas.enable':'false'}", words.mutated(words.json(3)));
        JsonVectors.fromBytes(output, "{'schemas.enable':'false'}", words.damaged(words.json(2).getBytes(StandardCharsets.UTF_8)));
        JsonVectors.from(output, jsonConfig(true), words.envelope());
    }

    private void headers(Output output, RandomTexts words) {
        HeaderVectors.read(output, words.mutated(words.literal(3)));
        HeaderVectors.read(output, words.literal(3));
        HeaderVectors.read(output, words.mutated(values.string()));
        byte[] bytes = values.malformed();
        HeaderVectors.readBytes(output, bytes);
        HeaderVectors.from(output, values.one(HeaderVectors.NAMES), bytes);
        try {
            HeaderVectors.print(output, values.value(3));
        } catch (RuntimeException e) {
            // Java refuses to build it.
        }
    }

    private void transform(Output output, RandomTexts words) {
        String[] one = words.transformation();
        for (int i = 0; i < 3; i++)
            try {
                Schema schema = null;
                Object value;
                if (values.chance(60)) {
                    schema = values.chance(85) ? values.structSchema(2) : values.schema(1);
                    value = values.valueOf(schema, 2);
                } else
                    value = values.chance(85) ? values.map(2) : values.value(1);
                TransformVectors.run(output, one[0], one[1], schema, value, one[0].endsWith("Key"), values.chance(20));
            } catch (RuntimeException e) {
                // Java refuses to build it.
            }
    }

    private void texts(Output output, RandomTexts words) {
        try {
            Object value = values.value(3);
            ObjectNode input = Notation.object().put("op", "string");
            input.set("value", Notation.node(value));
            if (!input.toString().contains("{\"b\":"))
                output.add(input, () -> Notation.text(String.valueOf(value)));
        } catch (RuntimeException e) {
            // Java refuses to build it.
        }
        List<String> patterns = new ArrayList<>();
        patterns.add(words.datePattern());
        for (String pattern : patterns) {
            long millis = values.date(null).getTime();
            output.add(Notation.object().put("op", "format").put("pattern", pattern).put("millis", millis),
                    () -> Notation.text(TextVectors.format(pattern).format(new java.util.Date(millis))));
            String text;
            try {
                text = TextVectors.format(pattern).format(new java.util.Date(millis));
            } catch (IllegalArgumentException e) {
                continue;
            }
            TextVectors.parse(output, pattern, text);
            TextVectors.parse(output, pattern, words.mutated(text));
        }
        String regex = words.regex(3);
        String replacement = words.replacement();
        for (int i = 0; i < 3; i++)
            TextVectors.replace(output, regex, replacement, words.subject());
    }
}
