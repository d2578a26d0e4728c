package local.vectors.data;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;

import com.fasterxml.jackson.databind.node.ObjectNode;

import org.apache.kafka.connect.converters.BooleanConverter;
import org.apache.kafka.connect.converters.ByteArrayConverter;
import org.apache.kafka.connect.converters.DoubleConverter;
import org.apache.kafka.connect.converters.FloatConverter;
import org.apache.kafka.connect.converters.IntegerConverter;
import org.apache.kafka.connect.converters.LongConverter;
import org.apache.kafka.connect.converters.ShortConverter;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.SimpleHeaderConverter;
import org.apache.kafka.connect.storage.StringConverter;

/** SimpleHeaderConverter, and the converters for single types. */
final class HeaderVectors {
    private static final String[] TEXTS = {
        "", " ", "  x", "null", " null ", "null x", "nullx", "true", "false", "True", " true", "true}", "true,false", "0", "127", "128", "-128", "-129", "32767", "32768", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "-9223372036854775809", "123456789012345678901234567890", "1.0", "1.5", "0.1", "-0.0", "0.0", "3.14159265358979", "1e3", "1e10", "1e19", "1e20", "1e38", "1e39", "1e308", "1e309", "1e-50", "1e-400", "1E400", "+5", "-", "+", "5.", "-.5", ".5", "1_0", "1f", "0x10", "NaN", "Infinity", "1e99999999999",
        "123,abc", "123 abc", "123:abc", "12 ", " 12", "1 2", "2020-01-02", "2020-13-45", "20-01-02xx", "1234567890", "12345-01-1", "03:04:05.006Z", "3:04:05.0060Z", "03\\:04\\:05.006Z", "2020-01-02T03:04:05.006Z", "2020-01-02T03\\:04\\:05.006Z", "2020-01-02T03:04:05.006X", "03:04:05.006Z and", "2020-01-02 ",
        "[]", "[ ]", "[1]", "[1,2]", "[1, 300]", "[1,70000,2.5]", "[1,\"a\"]", "[null]", "[1,null]", "[null,1]", "[null,null]", "[true,false]", "[true,1]", "[\"a\",\"b\"]", "[a]", "[1", "[1,", "[1,]", "[,1]", "[1,,2]", "[1]x", "[1] ", " [1]", "x[1]", "[[1],[2]]", "[[1],[\"a\"]]", "[[]]", "[{}]", "[2020-01-02]", "[2020-01-02,5]", "[5,2020-01-02]",
        "[03:04:05.006Z]", "[\"03:04:05.006Z\"]", "[1.0,2.5]", "[0.5,1e300]", "[1e20]", "[1e39,1]", "[12345678901234567890123,1]", "[12345678901234567890123]", "[\"\"]", "[\" a \"]", "[\"a\\\"b\"]", "[\"a,b\",\"c]d\"]", "[\"a", "[true , false]", "[1 2]", "[-5]", "[+]", "[x,y]", "[null x]",
        "{}", "{ }", "{a:1}", "{\"a\":1}", "{\"a\":1,\"b\":300}", "{\"a\":1 \"b\":2}", "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":null}", "{\"a\":null,\"b\":1}", "{\"a\":1,\"b\":\"x\"}", "{\"a\":1,2:3}", "{1:\"a\",300:\"b\"}", "{null:1}", "{\"a\":1", "{\"a\":[1,2]}", "{\"a\":{\"b\":1}}", "{\"z\":1,\"a\":2,\"m\":3}", "{\"a\":1,\"a\":2}", "{\"a\":1}x", "{1:2,\"a\":\"b\"}",
        "{true:false}", "{\"2020-01-02\":1}", "{2020-01-02:1}", "{03:04:05.006Z:1}", "{1.5:2}", "{\"a\":2020-01-02T03:04:05.006Z}", "{\"k\":\"v\"}", "{k:v}", "{\"a\":1:2}", "\"x\"", "\"x", "\"1\"", "a\"b", "a:b", "a,b", "a]b", ":", ",", "]", "}", "[", "{", "\\", "\\[", "\\{a", "a\\", "\u00e9", "\ud83d\ude00[", "1\u00e9", "\t1\n", "\u0661",
        "[1,2,3,4,5,6,7,8,9,10]", "{\"a b\":\"c d\"}", "[\"2020-01-02\",\"x\"]", "[true", "[[1,2],[3", "{\"a\":[}", "[[[[[[1]]]]]]", "[\"\\\\\"]", "[\"a\\\\\"]", "12:34", "1:2:3:4:5:6", "[1:2]", "{{}:1}", "{[1]:2}", "[-0.0,1]", "[1e3,1]", "[128,1]",
    };
    private static final String[] VALUES = {
        "null", "{bool:true}", "{i8:1}", "{i64:5}", "{float:'1.5'}", "{double:'1E21'}", "{s:'a\"b\\\\c'}", "{s:''}", "{b:'0102ff'}", "{dec:['150',2]}", "{date:0}", "{date:86399999}", "{date:86400000}", "{date:1577934245006}", "{date:-1}", "{date:-86400000}", "{date:253402300800000}",
        "{a:[]}", "{a:[{s:'a\"b\\\\c'},null,{b:'01'},{i32:1},{date:0},{a:[{bool:true}]}]}", "{m:[[{s:'b'},{i32:1}],[{s:'a'},null]]}", "{m:[[{i32:1},{s:'x'}]]}", "{st:[{t:'STRUCT',f:[['a','INT32'],['b',{t:'STRING',o:true}],['c',{t:'INT32',o:true,d:{i32:9}}]]},[{i32:1},null,null]]}",
    };
    private static final String[] PIECES = {
        "[", "]", "{", "}", ":", ",", "\"", " ", "1", "300", "1.5", "a", "null", "true", "\\", "2020-01-02", "03:04:05.006Z", "\"x\"", "-", "false", "1e30",
    };
    private static final Map<String, Converter> CONVERTERS = Map.of(
        "BooleanConverter", new BooleanConverter(), "ShortConverter", new ShortConverter(), "IntegerConverter", new IntegerConverter(), "LongConverter", new LongConverter(), "FloatConverter", new FloatConverter(),
        "DoubleConverter", new DoubleConverter(), "StringConverter", new StringConverter(), "ByteArrayConverter", new ByteArrayConverter());

    static final String[] NAMES = CONVERTERS.keySet().stream().sorted().toArray(String[]::new);
    /** What `new String` makes of bytes that are no UTF-8. */
    private static final String[] MALFORMED = {"c3", "c328", "e2", "e282", "e28261", "eda080", "eda08061", "eda0", "edbf", "f09f98", "f09f", "f0808080", "f4908080", "f5", "c0af", "e080af", "61ff62", "80", "efbfbd", "eda080edb080"};

    private HeaderVectors() { }

    static void add(Output output) {
        for (String text : TEXTS)
            read(output, text);
        Random random = new Random(5);
        for (int i = 0; i < 1200; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = 1 + random.nextInt(9); n > 0; n--)
                text.append(PIECES[random.nextInt(PIECES.length)]);
            read(output, (i % 3 == 0 ? "" : i % 3 == 1 ? "[" : "{") + text + (i % 3 == 0 ? "" : i % 3 == 1 ? "]" : "}"));
        }
        for (String hex : MALFORMED) {
            readBytes(output, HexFormat.of().parseHex(hex));
            from(output, "StringConverter", HexFormat.of().parseHex(hex));
        }
        for (String value : VALUES)
            print(output, Notation.value(value));
        for (String name : NAMES)
            single(output, name);
    }

    static void read(Output output, String text) {
        output.add(Notation.object().put("op", "read").put("in", text), () -> {
            SchemaAndValue data = new SimpleHeaderConverter().toConnectHeader("t", "h", text.getBytes(StandardCharsets.UTF_8));
            return Notation.pair(data == null ? null : data.schema(), data == null ? null : data.value());
        });
    }

    /** Bytes that need not be text. */
    static void readBytes(Output output, byte[] bytes) {
        output.add(Notation.object().put("op", "read").put("hex", HexFormat.of().formatHex(bytes)), () -> {
            SchemaAndValue data = new SimpleHeaderConverter().toConnectHeader("t", "h", bytes);
            return Notation.pair(data.schema(), data.value());
        });
    }

    static void print(Output output, Object value) {
        ObjectNode input = Notation.object().put("op", "print");
        input.set("value", Notation.node(value));
        output.add(input, () -> {
            byte[] bytes = new SimpleHeaderConverter().fromConnectHeader("t", "h", null, value);
            return Notation.text(bytes == null ? null : new String(bytes, StandardCharsets.UTF_8));
        });
    }

    private static void single(Output output, String name) {
        Converter converter = CONVERTERS.get(name);
        converter.configure(Map.of(), false);
        for (String schema : new String[] {"null", "'INT32'", "'BYTES'", "'BOOLEAN'"})
            for (String text : new String[] {"null", "{bool:true}", "{i16:5}", "{i32:-5}", "{i64:5}", "{float:'1.5'}", "{double:'1.5'}", "{s:'x'}", "{b:'01'}", "{a:[{i32:1}]}"}) {
                ObjectNode input = Notation.object().put("op", "to").put("class", converter.getClass().getName());
                Object value = Notation.value(text);
                // Texts of arrays of bytes are object ids.
                if (name.equals("StringConverter") && value instanceof byte[])
                    continue;
                input.set("data", Notation.pair(Notation.schema(schema), value));
                output.add(input, () -> {
                    byte[] bytes = converter.fromConnectData("t", Notation.schema(schema), value);
                    return Notation.text(bytes == null ? null : HexFormat.of().formatHex(bytes));
                });
            }
        for (String hex : new String[] {null, "", "00", "01", "02", "ff", "0001", "00000001", "3fc00000", "ffffffffffffffff", "3ff8000000000000", "c3a9ff"}) {
            from(output, name, hex == null ? null : HexFormat.of().parseHex(hex));
        }
    }

    static void from(Output output, String name, byte[] bytes) {
        Converter converter = CONVERTERS.get(name);
        ObjectNode input = Notation.object().put("op", "from").put("class", converter.getClass().getName());
        input.put("in", bytes == null ? null : HexFormat.of().formatHex(bytes));
        output.add(input, () -> {
            SchemaAndValue data = converter.toConnectData("t", bytes);
            return Notation.pair(data.schema(), data.value());
        });
    }
}
