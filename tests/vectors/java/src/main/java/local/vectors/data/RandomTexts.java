package local.vectors.data;

import java.util.HashMap;
import java.util.Map;

import com.fasterxml.jackson.databind.node.TextNode;

/** Texts by chance: JSON, header literals, patterns, settings of transformations. */
final class RandomTexts {
    private static final String[] NUMBERS = {
        "0", "-0", "1", "-1", "127", "128", "32768", "2147483648", "9223372036854775807", "-9223372036854775808", "1.0", "-0.0", "1.5", "0.1", "1e3", "1E+3", "1e-3", "1e400", "1e-400", "007", "1.50", "3.4028236e38", "123456789012345.678901234567890", "-5", "0.0000001", "1e22", "12345678.9", "100.0",
    };
    private static final String[] LITERALS = {
        "null", "true", "false", "1", "-1", "300", "70000", "1e10", "1.5", "1e39", "1.0", "12345678901234567890", "2020-01-02", "03:04:05.006Z", "2020-01-02T03:04:05.006Z", "2020-01-02T03\\:04\\:05.006Z", "\"2020-01-02\"", "\"x\"", "\"\"", "\"a\\\"b\"", "\"a\\\\\"", "\"a,b\"", "\"[1]\"", "x", "", " ", "\"true\"", "\"null\"", "+5", ".5", "5.", "0x1", "NaN", "\u00e9",
    };
    private static final String[] SCHEMAS = {
        "int8", "int16", "int32", "int64", "float", "double", "boolean", "string", "bytes", "array", "map", "struct",
    };
    private static final String[] TYPES = {
        "int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string", "bytes", "STRING", " int8 ",
    };
    private static final String[] DATE_PARTS = {
        "yyyy", "yy", "y", "MM", "M", "MMM", "MMMM", "dd", "d", "HH", "H", "hh", "h", "kk", "K", "mm", "m", "ss", "s", "SSS", "S", "a", "E", "EEEE", "u", "D", "DDD", "w", "ww", "W", "F", "YYYY", "Y", "G", "z", "Z", "X", "XX", "XXX", "'T'", "''", "'at'", "L", "LLL",
    };
    private static final String[] USUAL_DATES = {
        "yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "dd/MM/yyyy", "MM/dd/yy", "yyyyMMddHHmmss", "EEE MMM dd HH:mm:ss zzz yyyy", "h:mm a", "yyyy-'W'ww", "yyyy.MM.dd G 'at' HH:mm:ss z", "dd-MMM-yyyy", "YYYY-'W'ww-u", "HH:mm:ss,SSS",
    };
    private static final String[] REGEX_PARTS = {
        "a", "b", "topic", "-", "\\.", "\\d", "\\w", "\\s", ".", "[a-z]", "[^-]", "[0-9]", "\\p{Alpha}", "\\p{L}", "\\p{IsAlphabetic}", "\\p{javaLowerCase}", "\\p{Punct}", "[a-c[x-z]]", "[a-z&&[^b]]", "\\Qa.b\\E", "^", "$", "\\b", "(?=a)", "(?!b)", "(?<=a)", "(?<!b)", "\\x41", "\\u0041", "\\h", "\\R", "\\A", "\\z",
        "\\p{Lu}", "\\P{Digit}", "[\\w.]", "\\t", "[\\]]", "\\-", "\\p{InBasic_Latin}", "\\p{sc=Latin}", "\\p{IsLatin}", "\\p{IsUppercase}", "\\p{L1}", "\u00e9", "\\G", "\\Z", "\\B",
    };
    private static final String[] QUANTIFIERS = {"*", "+", "?", "*?", "+?", "??", "*+", "++", "?+", "{2}", "{1,}", "{1,2}", "{1,2}?", "{0}", "{2}+"};

    private final RandomValues values;

    RandomTexts(RandomValues values) {
        this.values = values;
    }

    private int number(int bound) {
        return values.random.nextInt(bound);
    }

    /** With a few characters gone, doubled or strange, now and then. */
    String mutated(String text) {
        if (values.chance(50) || text.isEmpty())
            return text;
        StringBuilder result = new StringBuilder(text);
        for (int n = 1 + number(2); n > 0 && result.length() > 0; n--) {
            int at = number(result.length());
            switch (number(3)) {
                case 0: result.deleteCharAt(at); break;
                case 1: result.insert(at, result.charAt(number(result.length()))); break;
                default: result.insert(at, "[]{}:,\"\\ 1e.-+tn/x'\t".charAt(number(20)));
            }
        }
        // Halves of characters cannot be written to a file.
        return result.toString().replaceAll("[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]", "");
    }

    byte[] damaged(byte[] bytes) {
        for (int n = number(3); n > 0 && bytes.length > 0; n--)
            bytes[number(bytes.length)] = (byte) number(256);
        return bytes;
    }

    String json(int depth) {
        switch (number(depth > 0 ? 9 : 6)) {
            case 0: return values.one(new String[] {"null", "true", "false"});
            case 1: case 2: case 3: return number(3) == 0 ? Long.toString(values.whole()) : values.one(NUMBERS);
            case 4: case 5: return quoted();
            case 6: case 7: {
                StringBuilder text = new StringBuilder("[");
                for (int n = number(4); n > 0; n--)
                    text.append(space()).append(json(depth - 1)).append(n > 1 ? "," : "");
                return text.append(space()).append(']').toString();
            }
            default: {
                StringBuilder text = new StringBuilder("{");
                for (int n = number(4); n > 0; n--)
                    text.append(space()).append(quoted()).append(space()).append(':').append(json(depth - 1)).append(n > 1 ? "," : "");
                return text.append(space()).append('}').toString();
            }
        }
    }

    private String space() {
        return values.chance(80) ? "" : values.one(new String[] {" ", "\t", "\n", "\r\n  "});
    }

    private String quoted() {
        return values.chance(80) ? TextNode.valueOf(values.string()).toString() : values.one(new String[] {"\"\\u00e9\"", "\"\\/\"", "\"\\ud83d\\ude00\"", "\"\\u0000\"", "\"AQI=\"", "\"AJw=\"", "\"\u007f\""});
    }

    String envelope() {
        StringBuilder schema = new StringBuilder();
        String payload = described(schema, 3, null);
        return mutated("{\"schema\":" + schema + ",\"payload\":" + payload + "}");
    }

    /** Writes the JSON of a schema; the JSON of data that fit, more or less. */
    private String described(StringBuilder schema, int depth, String field) {
        String type = values.one(SCHEMAS);
        if (depth == 0)
            type = SCHEMAS[number(9)];
        String payload;
        schema.append("{\"type\":\"").append(type).append('"');
        switch (type) {
            case "array":
                schema.append(",\"items\":");
                payload = "[" + described(schema, depth - 1, null) + "]";
                break;
            case "map": {
                schema.append(",\"keys\":");
                boolean strings = values.chance(60);
                String key = strings ? quoted() : described(schema, 0, null);
                if (strings)
                    schema.append("{\"type\":\"string\"}");
                schema.append(",\"values\":");
                String value = described(schema, depth - 1, null);
                payload = strings ? "{" + key + ":" + value + "}" : "[[" + key + "," + value + "]]";
                break;
            }
            case "struct": {
                schema.append(",\"fields\":[");
                StringBuilder members = new StringBuilder("{");
                for (int n = number(3); n >= 0; n--) {
                    String name = "f" + n;
                    String value = described(schema, depth - 1, name);
                    schema.append(n > 0 ? "," : "");
                    if (values.chance(90))
                        members.append(members.length() > 1 ? "," : "").append('"').append(name).append("\":").append(value);
                }
                schema.append(']');
                payload = members.append('}').toString();
                break;
            }
            case "string": payload = quoted(); break;
            case "bytes": payload = values.one(new String[] {"\"AQI=\"", "\"\"", "\"AQ==\"", "\"AQI\"", "\"A\""}); break;
            case "boolean": payload = values.one(new String[] {"true", "false"}); break;
            default: payload = number(2) == 0 ? values.one(NUMBERS) : Integer.toString(number(300) - 150);
        }
        String logical = "int32".equals(type) ? values.one(new String[] {"Date", "Time"}) : "int64".equals(type) ? "Timestamp" : "bytes".equals(type) ? "Decimal" : null;
        if (logical != null && values.chance(30)) {
            schema.append(",\"name\":\"org.apache.kafka.connect.data.").append(logical).append("\",\"version\":1");
            if ("Decimal".equals(logical)) {
                schema.append(",\"parameters\":{\"scale\":\"").append(number(6) - 1).append("\"}");
                if (values.chance(50))
                    payload = values.one(NUMBERS);
            }
        } else if (values.chance(10))
            schema.append(",\"name\":\"n\",\"version\":").append(number(9)).append(",\"doc\":").append(quoted());
        if (values.chance(40))
            schema.append(",\"optional\":").append(values.one(new String[] {"true", "true", "false", "1"}));
        if (values.chance(15))
            schema.append(",\"default\":").append(payload);
        if (field != null)
            schema.append(",\"field\":\"").append(field).append('"');
        schema.append('}');
        return values.chance(85) ? payload : values.chance(60) ? "null" : json(1);
    }

    /** What SimpleHeaderConverter may take for a value. */
    String literal(int depth) {
        switch (number(depth > 0 ? 5 : 3)) {
            case 0: case 1: return values.one(LITERALS);
            case 2: return number(2) == 0 ? values.one(NUMBERS) : TextNode.valueOf(values.string()).toString();
            case 3: {
                StringBuilder text = new StringBuilder("[");
                boolean alike = values.chance(50);
                String one = literal(depth - 1);
                for (int n = number(4); n > 0; n--)
                    text.append(space()).append(alike ? one : literal(depth - 1)).append(space()).append(n > 1 ? "," : "");
                return text.append(']').toString();
            }
            default: {
                StringBuilder text = new StringBuilder("{");
                for (int n = number(4); n > 0; n--)
                    text.append(space()).append(values.chance(60) ? "\"k" + n + "\"" : literal(depth - 1)).append(space()).append(':').append(space()).append(literal(depth - 1)).append(n > 1 ? "," : "");
                return text.append('}').toString();
            }
        }
    }

    String datePattern() {
        if (values.chance(40))
            return values.one(USUAL_DATES);
        StringBuilder pattern = new StringBuilder();
        for (int n = 1 + number(5); n > 0; n--)
            pattern.append(values.one(DATE_PARTS)).append(values.one(new String[] {"-", " ", "", "", ":", "/", ", "}));
        return pattern.toString();
    }

    String regex(int depth) {
        StringBuilder regex = new StringBuilder(values.one(new String[] {"", "", "", "", "(?i)", "(?s)", "(?<n>[a-z]*)", "(a|b)\\1", "(?<n>.)\\k<n>"}));
        if (regex.length() > 0 && depth < 3)
            regex.setLength(0);
        for (int n = 1 + number(4); n > 0; n--) {
            String part = values.chance(25) && depth > 0 ? group(depth) : values.one(REGEX_PARTS);
            regex.append(part);
            boolean width = part.matches("[^\\\\^$(]|\\\\[dwspPQxuhRt.-].*|\\[.*|topic|\\([^?].*");
            if (width && values.chance(40))
                regex.append(values.one(QUANTIFIERS));
            if (values.chance(8))
                regex.append('|');
        }
        return regex.toString();
    }

    private String group(int depth) {
        String open = values.one(new String[] {"(", "(", "(", "(?:", "(?>", "(?i:"});
        return open + regex(depth - 1) + ")";
    }

    String replacement() {
        StringBuilder text = new StringBuilder();
        for (int n = number(4); n >= 0; n--)
            text.append(values.one(new String[] {"x", "$0", "$1", "$2", "${n}", "\\$", "-", "$10", "\\\\", ".", "\u00e9"}));
        return text.toString();
    }

    /** A name of a topic. */
    String subject() {
        StringBuilder text = new StringBuilder();
        for (int n = number(6); n > 0; n--)
            text.append(values.one(new String[] {"a", "b", "ab", "topic", "-", ".", "1", "A", "a.b", "x", "_", "TOPIC", "0", "42"}));
        return text.toString();
    }

    /** Class and settings. */
    String[] transformation() {
        Map<String, String> config = new HashMap<>();
        String name = values.one(new String[] {"Cast", "Cast", "ExtractField", "Flatten", "HeaderFrom", "HoistField", "InsertField", "MaskField", "ReplaceField", "SetSchemaMetadata", "TimestampConverter", "TimestampConverter", "ValueToKey", "InsertHeader", "DropHeaders", "RegexRouter", "TimestampRouter"});
        boolean sides = true;
        switch (name) {
            case "Cast": config.put("spec", values.chance(30) ? values.one(TYPES) : list(f -> f + ":" + values.one(TYPES))); break;
            case "ExtractField":
                config.put("field", values.chance(60) ? field() : field() + "." + field());
                if (values.chance(50))
                    config.put("field.syntax.version", "V2");
                break;
            case "Flatten": config.put("delimiter", values.one(new String[] {".", "_", "", "$"})); break;
            case "HeaderFrom":
                config.put("fields", list(f -> f));
                config.put("headers", list(f -> "h" + f));
                config.put("operation", values.one(new String[] {"move", "copy"}));
                break;
            case "HoistField": config.put("field", field()); break;
            case "InsertField":
                for (String part : new String[] {"topic", "partition", "offset", "timestamp", "static"})
                    if (values.chance(40))
                        config.put(part + ".field", values.one(new String[] {"t", "u", "a", "b"}) + values.one(new String[] {"", "!", "?"}));
                config.put("static.value", values.string());
                break;
            case "MaskField":
                config.put("fields", list(f -> f));
                if (values.chance(60))
                    config.put("replacement", values.one(new String[] {"x", "1", "1.5", "true", "", "-1", "300", "1e3", "NaN"}));
                break;
            case "ReplaceField":
                if (values.chance(40))
                    config.put("exclude", list(f -> f));
                if (values.chance(40))
                    config.put("include", list(f -> f));
                if (values.chance(60))
                    config.put("renames", list(f -> f + ":" + values.one(new String[] {"x", "y", "z", "a", "b"})));
                break;
            case "SetSchemaMetadata":
                if (values.chance(70))
                    config.put("schema.name", "s" + number(3));
                if (values.chance(70))
                    config.put("schema.version", Integer.toString(number(4)));
                break;
            case "TimestampConverter":
                config.put("target.type", values.one(new String[] {"string", "unix", "Date", "Time", "Timestamp"}));
                config.put("unix.precision", values.one(new String[] {"seconds", "milliseconds", "microseconds", "nanoseconds"}));
                config.put("format", datePattern());
                if (values.chance(80))
                    config.put("field", field());
                break;
            default:
                sides = false;
                single(name, config);
        }
        if (values.chance(30))
            config.put("replace.null.with.default", "false");
        String side = sides ? values.chance(20) ? "$Key" : "$Value" : "";
        return new String[] {name + side, new com.fasterxml.jackson.databind.ObjectMapper().valueToTree(config).toString()};
    }

    private void single(String name, Map<String, String> config) {
        switch (name) {
            case "ValueToKey": config.put("fields", list(f -> f)); break;
            case "InsertHeader":
                config.put("header", "h");
                config.put("value.literal", literal(2));
                break;
            case "DropHeaders": config.put("headers", values.one(new String[] {"old", "other", "old,other", " old , x"})); break;
            case "RegexRouter":
                config.put("regex", values.chance(50) ? "(.*)-(\\d)" : regex(2));
                config.put("replacement", replacement());
                break;
            default:
                config.put("topic.format", values.one(new String[] {"${topic}", "${timestamp}", "${topic}-${timestamp}", "x${topic}${topic}", "$1${topic}\\"}));
                config.put("timestamp.format", datePattern());
        }
    }

    private String field() {
        return values.one(RandomValues.FIELDS);
    }

    private String list(java.util.function.UnaryOperator<String> item) {
        StringBuilder text = new StringBuilder(item.apply(field()));
        for (int n = number(3); n > 0; n--)
            text.append(values.chance(80) ? "," : " , ").append(item.apply(field()));
        return text.toString();
    }
}
