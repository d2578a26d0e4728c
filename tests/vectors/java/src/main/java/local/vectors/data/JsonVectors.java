package local.vectors.data;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;

import com.fasterxml.jackson.databind.node.ObjectNode;

import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;

/** JsonConverter in both directions. */
final class JsonVectors {
    private static final String[] CONFIGS = {
        "{}", "{'schemas.enable':'false'}", "{'schemas.enable':'false','decimal.format':'NUMERIC'}",
        "{'replace.null.with.default':'false'}", "{'schemas.enable':'false','replace.null.with.default':'false'}",
    };

    private static final String DEC = "n:'org.apache.kafka.connect.data.Decimal',v:1,p:[['scale','2']]";
    private static final String DATE = "t:'INT32',n:'org.apache.kafka.connect.data.Date',v:1";
    private static final String TIME = "t:'INT32',n:'org.apache.kafka.connect.data.Time',v:1";
    private static final String STAMP = "t:'INT64',n:'org.apache.kafka.connect.data.Timestamp',v:1";
    private static final String STRUCT = "{t:'STRUCT',n:'rec',v:3,doc:'a \"doc\"',p:[['z','1'],['a','2']],f:[['id','INT64'],"
            + "['name',{t:'STRING',o:true}],['size',{t:'INT32',d:{i32:7}}],['opt',{t:'INT16',o:true,d:{i16:5}}],"
            + "['price',{t:'BYTES',o:true," + DEC + "}],['day',{" + DATE + ",o:true,d:{date:86400000}}],"
            + "['tags',{t:'ARRAY',e:'STRING',o:true}],['more',{t:'MAP',k:'STRING',e:'INT8',o:true}]]}";

    /** Schema and value. */
    private static final String[][] VALUES = {
        {"null", "null"}, {"'INT8'", "{i8:-128}"}, {"'INT16'", "{i16:1}"}, {"'INT32'", "{i32:-1}"}, {"'INT64'", "{i64:'9223372036854775807'}"},
        {"'FLOAT32'", "{float:'1.1'}"}, {"'FLOAT32'", "{float:'3.4028235E38'}"}, {"'FLOAT32'", "{float:'NaN'}"}, {"'FLOAT64'", "{double:'1.0E21'}"},
        {"'FLOAT64'", "{double:'-Infinity'}"}, {"'FLOAT64'", "{double:'0.1'}"}, {"'FLOAT64'", "{double:'-0.0'}"}, {"'FLOAT64'", "{double:'1.0E-5'}"},
        {"'FLOAT64'", "{double:'12345678.9'}"}, {"'FLOAT64'", "{double:'100'}"}, {"'BOOLEAN'", "{bool:true}"},
        {"'STRING'", "{s:'a\\u0001\\u001f\\\"\\\\/\\b\\f\\n\\r\\t\\u007f\\u2028\\u00e9\\ud83d\\ude00'}"}, {"'BYTES'", "{b:'00ff10'}"}, {"'BYTES'", "{b:''}"},
        {"{t:'BYTES'," + DEC + "}", "{dec:['156',2]}"}, {"{t:'BYTES'," + DEC + "}", "{dec:['-156',2]}"}, {"{t:'BYTES'," + DEC + "}", "{dec:['156',3]}"},
        {"{t:'BYTES'," + DEC + "}", "{b:'01'}"}, {"{t:'BYTES',n:'org.apache.kafka.connect.data.Decimal',p:[['scale','-3']]}", "{dec:['12',-3]}"},
        {"{t:'BYTES',n:'org.apache.kafka.connect.data.Decimal',p:[['scale','10']]}", "{dec:['12',10]}"},
        {"{t:'BYTES',n:'org.apache.kafka.connect.data.Decimal',p:[['scale','x']]}", "{dec:['12',10]}"},
        {"{" + DATE + "}", "{date:86400000}"}, {"{" + DATE + "}", "{date:-86400000}"}, {"{" + DATE + "}", "{date:1}"}, {"{" + DATE + "}", "{i32:1}"},
        {"{" + TIME + "}", "{date:86399999}"}, {"{" + TIME + "}", "{date:86400001}"}, {"{" + TIME + "}", "{i32:1}"}, {"{" + STAMP + "}", "{date:-1}"},
        {"{" + STAMP + "}", "{i64:1}"}, {"{" + STAMP + ",o:true}", "null"}, {"{" + STAMP + ",o:true,d:{date:5}}", "null"},
        {"{t:'INT32',o:true}", "null"}, {"'INT32'", "null"}, {"{t:'INT32',o:true,d:{i32:3}}", "null"}, {"{t:'INT32',d:{i32:3}}", "null"},
        {"'INT8'", "{i32:1}"}, {"'INT32'", "{s:'1'}"}, {"'STRING'", "{i32:1}"}, {"'BYTES'", "{s:'1'}"}, {"'BOOLEAN'", "{s:'1'}"}, {"'FLOAT32'", "{double:'1'}"},
        {"{t:'ARRAY',e:'INT32'}", "{a:[{i32:1},{i32:2}]}"}, {"{t:'ARRAY',e:'INT32'}", "{a:[null]}"}, {"{t:'ARRAY',e:'INT32'}", "{s:'x'}"}, {"{t:'ARRAY',e:{t:'INT32',o:true}}", "{a:[null]}"},
        {"{t:'MAP',k:'STRING',e:'INT32'}", "{m:[[{s:'b'},{i32:1}],[{s:'a'},{i32:2}]]}"}, {"{t:'MAP',k:'INT64',e:{t:'STRING',o:true}}", "{m:[[{i64:7},{s:'x'}],[{i64:'-5'},null]]}"},
        {"{t:'MAP',k:'STRING',e:'INT32'}", "{m:[[{i32:5},{i32:1}]]}"}, {"{t:'MAP',k:{t:'STRING',o:true},e:'INT32'}", "{m:[[null,{i32:1}]]}"}, {"{t:'MAP',k:'STRING',e:'INT32'}", "{a:[]}"},
        {STRUCT, "{st:[" + STRUCT + ",[{i64:1},{s:'x'},{i32:1},null,{dec:['100',2]},null,{a:[{s:'t'}]},{m:[[{s:'k'},{i8:1}]]}]]}"},
        {STRUCT, "{st:[{t:'STRUCT',f:[]},[]]}"}, {"'STRUCT'", "{i32:1}"}, {"{t:'STRUCT',f:[]}", "{st:[{t:'STRUCT',f:[]},[]]}"},
        {"{t:'STRUCT',o:true,f:[['a','INT32']],d:{st:[{t:'STRUCT',f:[['a','INT32']]},[{i32:1}]]}}", "null"},
        {"null", "{i8:1}"}, {"null", "{float:'1.5'}"}, {"null", "{double:'1E10'}"}, {"null", "{s:'x'}"}, {"null", "{b:'01'}"}, {"null", "{dec:['1',0]}"}, {"null", "{date:0}"},
        {"null", "{a:[null,{i32:1},{s:'x'},{a:[]}]}"}, {"null", "{m:[[{s:'b'},null],[{s:'a'},{bool:true}]]}"}, {"null", "{m:[[{i32:1},{s:'x'}],[{s:'a'},null]]}"},
        {"null", "{m:[[null,{s:'x'}]]}"}, {"null", "{m:[]}"}, {"null", "{st:[{t:'STRUCT',f:[]},[]]}"}, {"null", "{lm:[[{s:'z'},{i32:1}],[{s:'a'},{i32:2}]]}"},
        {"null", "{a:[{s:'connector'},{m:[[{s:'protocol'},{s:'1'}],[{s:'owner'},{s:'x'}],[{s:'db'},{s:'y'}],[{s:'table'},{s:'z'}]]}]}"},
    };

    /** Texts that are read without schema. */
    private static final String[] PLAIN = {
        "", " ", "null", "true", "false", "1", "-1", "0", "-0", "007", "-007", "00", "1.0", "1.50", "01.5", "-0.0", "-0e5", "[-0.00E-5,-1e-400]", "1e5", "1E+5", "1e-5", "1e400", "9223372036854775807", "-9223372036854775808",
        "0.1", "123456789.123456789", "\"\"", "\"a\\u00e9\\n\\/\"", "\"\\ud83d\\ude00\"", "[]", "[1,[2,{}],null]", "{}", "{\"a\":1,\"a\":2}", "{\"b\":1,\"a\":{\"d\":[],\"c\":null}}",
        "1 2", "[1] x", "\"a\"b", "{} ]", "\ufeff1", " \t\r\n1", "NaN", "Infinity", "+1", ".5", "1.", "1e", "-", "1,2", "1x", "nul", "nullx", "True", "[1,]", "[,1]", "[1,,2]", "[1 2]",
        "{a:1}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "'a'", "\"a", "[1", "{\"a\":1", "// x\n1", "/* */1", "\"\t\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "]", "}", ":", ",", "\u00a01", "\f1",
        "{\"schema\":null,\"payload\":1}", "{\"Aa\":1,\"BB\":2,\"C#\":3}",
    };

    private static final String[][] ENVELOPES = {
        {"{\"type\":\"int8\"}", "1", "127", "128", "300", "-1.9", "\"5\"", "true", "null", "[]", "{}"}, {"{\"type\":\"int16\"}", "70000", "1e2"}, {"{\"type\":\"int32\"}", "2147483648", "1.99", "1e10"},
        {"{\"type\":\"int64\"}", "1", "1e3", "\"x\"", "9223372036854775808.0"}, {"{\"type\":\"float\"}", "1", "-0.0", "0.1", "1e40", "\"1\"", "12345678901234567890"},
        {"{\"type\":\"double\"}", "1", "0.1", "1e400", "12345678901234567890", "true"}, {"{\"type\":\"boolean\"}", "true", "\"true\"", "1"}, {"{\"type\":\"string\"}", "\"x\"", "1", "null", "true"},
        {"{\"type\":\"string\",\"optional\":true}", "null", "1"}, {"{\"type\":\"bytes\"}", "\"AQI=\"", "\"AQI\"", "\"A Q I =\"", "\" AQI=\"", "\"AQJ=\"", "\"A-_=\"", "\"\"", "1", "\"AQID AQID\"", "\"====\""},
        {"{\"type\":\"array\",\"items\":{\"type\":\"int32\"}}", "[1,2]", "[]", "{\"a\":1}", "5", "[null]", "[\"x\"]"},
        {"{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":\"int32\"}}", "{\"b\":1,\"a\":2}", "[]", "1"},
        {"{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":\"int32\",\"optional\":true}}", "[[1,2],[17,null]]", "{}", "[1]", "[[1]]", "[[1,2,3]]", "[[null,1]]"},
        {"{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":\"int32\",\"optional\":true,\"default\":9},{\"field\":\"b\",\"type\":\"string\"}]}", "{\"b\":\"x\"}", "{\"a\":null,\"b\":\"x\",\"c\":1}", "{\"a\":1}", "{\"a\":1,\"b\":2}", "[]"},
        {"{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,\"parameters\":{\"scale\":\"2\"}}", "\"AJw=\"", "1.5", "156", "1e3", "\"\"", "\"x\"", "true", "{}"},
        {"{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\"}", "\"AJw=\"", "1.5"},
        {"{\"type\":\"int32\",\"name\":\"org.apache.kafka.connect.data.Date\",\"version\":1}", "1", "-1", "1.0", "\"1\"", "2147483648"},
        {"{\"type\":\"int32\",\"name\":\"org.apache.kafka.connect.data.Time\",\"version\":1}", "1", "-1", "86400000", "86400001"},
        {"{\"type\":\"int64\",\"name\":\"org.apache.kafka.connect.data.Timestamp\",\"version\":1}", "1", "-1", "1.0", "2147483648"},
        {"{\"type\":\"int64\",\"name\":\"org.apache.kafka.connect.data.Timestamp\",\"version\":1,\"default\":1000,\"doc\":\"d\"}", "null"},
        {"null", "1", "null"}, {"{}", "1"}, {"1", "1"}, {"[]", "1"}, {"{\"type\":1}", "1"}, {"{\"type\":\"int\"}", "1"}, {"{\"type\":\"array\"}", "[]"}, {"{\"type\":\"array\",\"items\":null}", "[]"},
        {"{\"type\":\"map\",\"values\":{\"type\":\"int32\"}}", "{}"}, {"{\"type\":\"map\",\"keys\":{\"type\":\"int32\"}}", "{}"}, {"{\"type\":\"map\",\"keys\":null,\"values\":{\"type\":\"int32\"}}", "{}"},
        {"{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":null}", "{}"}, {"{\"type\":\"struct\"}", "{}"}, {"{\"type\":\"struct\",\"fields\":{}}", "{}"}, {"{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\"}]}", "{}"},
        {"{\"type\":\"struct\",\"fields\":[null]}", "{}"}, {"{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"field\":\"a\"},{\"type\":\"int8\",\"field\":\"a\"}]}", "{}"},
        {"{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"field\":\"\"}]}", "{}"}, {"{\"type\":\"struct\",\"fields\":[]}", "{}"},
        {"{\"type\":\"struct\",\"optional\":true,\"fields\":[{\"type\":\"int8\",\"field\":\"a\"}],\"default\":{\"a\":1}}", "null", "{\"a\":2}"},
        {"{\"type\":\"int32\",\"default\":null}", "1"}, {"{\"type\":\"int32\",\"optional\":true,\"default\":null}", "null"}, {"{\"type\":\"string\",\"default\":1}", "\"x\""}, {"{\"type\":\"int32\",\"default\":\"x\"}", "null"},
        {"{\"type\":\"int32\",\"optional\":\"true\",\"version\":1.5,\"name\":1,\"doc\":1,\"parameters\":[]}", "null"}, {"{\"type\":\"int32\",\"parameters\":{\"a\":1}}", "1"},
        {"{\"type\":\"int32\",\"parameters\":{\"b\":\"1\",\"a\":\"2\"},\"version\":7,\"name\":\"n\"}", "1"}, {"{\"type\":\"array\",\"items\":{\"type\":\"int8\"},\"default\":[1]}", "null"},
    };

    private static final String[] BROKEN_ENVELOPES = {
        "1", "null", "{}", "{\"schema\":null}", "{\"payload\":1}", "{\"schema\":null,\"payload\":1,\"x\":1}", "[1,2]", "\"x\"", "", "{\"schema\":{\"type\":\"int8\"},\"payloa\":1}", "{\"a\":1,\"b\":2}",
    };

    /** Strewn together, sometimes they are JSON. */
    private static final String[] PIECES = {
        "[", "]", "{", "}", ":", ",", ",", "\"", " ", "1", "0", "-", ".", "5", "e", "+", "E2", "true", "null", "fal", "false", "\"a\"", "\"b\":", "\\", "\n", "\t", "\u00e9", "\"\\u00e9\"", "12345678901", "0.25", "x", "_", "$", "/",
    };

    private JsonVectors() { }

    static void add(Output output) {
        for (String config : CONFIGS)
            for (String[] pair : VALUES)
                to(output, config, pair[0], pair[1]);
        for (String text : PLAIN)
            from(output, "{'schemas.enable':'false'}", text);
        for (String config : new String[] {"{}", "{'replace.null.with.default':'false'}"})
            for (String[] envelope : ENVELOPES)
                for (int i = 1; i < envelope.length; i++)
                    from(output, config, "{\"schema\":" + envelope[0] + ",\"payload\":" + envelope[i] + "}");
        for (String text : BROKEN_ENVELOPES)
            from(output, "{}", text);
        Random random = new Random(17);
        for (int i = 0; i < 900; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = 1 + random.nextInt(9); n > 0; n--)
                text.append(PIECES[random.nextInt(PIECES.length)]);
            from(output, "{'schemas.enable':'false'}", (i % 3 == 0 ? "" : i % 3 == 1 ? "[" : "{\"k\":") + text + (i % 3 == 0 ? "" : i % 3 == 1 ? "]" : "}"));
        }
        for (int i = 0; i < 150; i++)
            roundTrip(output, random, 1 + i / 2);
    }

    private static JsonConverter converter(String config) {
        Map<String, String> map = new HashMap<>();
        Notation.json(config).fields().forEachRemaining(e -> map.put(e.getKey(), e.getValue().asText()));
        JsonConverter converter = new JsonConverter();
        converter.configure(map, false);
        return converter;
    }

    private static void to(Output output, String config, String schema, String value) {
        Schema s;
        Object v;
        try {
            s = Notation.schema(schema);
            v = Notation.value(value);
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(schema + " " + value, e);
        }
        to(output, config, s, v);
    }

    static void to(Output output, String config, Schema s, Object v) {
        ObjectNode input = Notation.object().put("op", "to");
        input.set("config", Notation.json(config));
        input.set("data", Notation.pair(s, v));
        output.add(input, () -> {
            byte[] bytes = converter(config).fromConnectData("t", s, v);
            return Notation.text(bytes == null ? null : new String(bytes, StandardCharsets.UTF_8));
        });
    }

    static void from(Output output, String config, String text) {
        ObjectNode input = Notation.object().put("op", "from");
        input.set("config", Notation.json(config));
        input.put("in", text);
        output.add(input, () -> {
            SchemaAndValue data = converter(config).toConnectData("t", text.getBytes(StandardCharsets.UTF_8));
            return Notation.pair(data.schema(), data.value());
        });
    }

    /** Bytes that need not be text. */
    static void fromBytes(Output output, String config, byte[] bytes) {
        ObjectNode input = Notation.object().put("op", "from");
        input.set("config", Notation.json(config));
        input.put("hex", HexFormat.of().formatHex(bytes));
        output.add(input, () -> {
            SchemaAndValue data = converter(config).toConnectData("t", bytes);
            return Notation.pair(data.schema(), data.value());
        });
    }

    /** Random maps show the order of keys. */
    private static void roundTrip(Output output, Random random, int size) {
        StringBuilder text = new StringBuilder("{");
        for (int i = 0; i < size; i++)
            text.append(i == 0 ? "" : ",").append('"').append(word(random)).append("\":").append(i);
        ObjectNode input = Notation.object().put("op", "round").put("in", text.append('}').toString());
        output.add(input, () -> {
            JsonConverter converter = converter("{'schemas.enable':'false'}");
            Object value = converter.toConnectData("t", text.toString().getBytes(StandardCharsets.UTF_8)).value();
            return Notation.text(new String(converter.fromConnectData("t", null, value), StandardCharsets.UTF_8));
        });
    }

    static String word(Random random) {
        List<String> syllables = List.of("a", "B", "id", "na", "me", "_", "Aa", "BB", "tab", "le", "\u00e9", "\ud83d\ude00", "0", "7", "key", "-", ".", "part");
        StringBuilder word = new StringBuilder();
        for (int i = random.nextInt(5); i >= 0; i--)
            word.append(syllables.get(random.nextInt(syllables.size())));
        return word.toString();
    }

    static List<String> words(Random random, int count) {
        List<String> words = new ArrayList<>();
        while (words.size() < count) {
            String word = word(random);
            if (!words.contains(word))
                words.add(word);
        }
        return words;
    }
}
