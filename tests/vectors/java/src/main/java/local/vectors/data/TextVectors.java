package local.vectors.data;

import java.text.ParsePosition;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TimeZone;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.apache.kafka.common.config.ConfigData;
import org.apache.kafka.common.config.ConfigTransformer;
import org.apache.kafka.common.config.provider.ConfigProvider;

/** What Java's library does: texts of objects, orders of maps, dates, replacements. */
final class TextVectors {
    private static final String[] PATTERNS = {
        "yyyy-MM-dd", "yyyyMMdd", "HH:mm:ss.SSS'Z'", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "yyyy-MM-dd'T'HH:mm:ss.SSSX", "yyyy-MM-dd'T'HH:mm:ssXXX", "yyyy-MM-dd HH:mm:ss Z", "EEE, dd MMM yyyy HH:mm:ss zzz",
        "EEEE d MMMM y G", "yy-M-d", "y-MM", "yyyyy.MMMMM.dd GGG hh:mm aaa", "h:mm a", "K:mm a", "k:mm", "H:m:s.S", "D yyyy", "DDD", "w YYYY u", "ww-YY E", "W F MMM yyyy", "F EEE MM yyyy", "''yyyy''", "'o''clock' HH",
        "yyyyMMddHHmmss", "yyyyMMddHHmmssSSS", "SSSSSS", "MMMyyyy", "LLLL LL", "XX", "X", "XXXX", "zzzz", "dd/MM/yy", "MM-dd", "HH", "a", "u", "S", "yyyy-DDD", "YYYY-'W'ww-u", "", "'", "b", "yyyy-MM-ddTHH", "'x", "yyyy\u00e9MM", "EEE", "MMM dd, yyyy",
    };
    private static final long[] MILLIS = {
        0L, 1L, -1L, 1577934245006L, 951782400000L, -62135769600000L, -62135769600001L, -12219292800000L, -12219292800001L, -2208988800000L, 253402300799999L, 253402300800000L, 1609459199999L, 1609372800000L, 1483228800000L,
        4102444800000L, -99999999999999L, 978307200000L, 1230768000000L, 1419984000000L, 43200000L, 46800000L,
    };
    private static final String[][] PARSED = {
        {"yyyy-MM-dd", "2020-01-02", "2020-1-2", "2020-13-32", "20-01-02", "  2020- 1-\t2", "2020-01-02x", "2020/01/02", "", "x", "2020-01", "-5-01-01", "12345-01-01", "2020--1-01", "99999999999-01-01", "0000-00-00", "2019-02-29", "1582-10-10", "1582-10-04", "0001-01-01"},
        {"yyyyMMdd", "20200102", "2020012", "202001", "20201332", "2020-102", "99990101x"}, {"yy-M-d", "20-1-2", "99-1-2", "45-12-31", "2020-1-2", "5-1-2", "020-1-2", "-1-1-1"},
        {"HH:mm:ss.SSS'Z'", "03:04:05.006Z", "25:61:61.1234Z", "03:04:05.6Z", "03:04:05.006", "3:4:5.0060Z"}, {"EEE, dd MMM yyyy HH:mm:ss zzz", "Thu, 02 Jan 2020 03:04:05 UTC", "Fri, 02 January 2020 03:04:05 GMT", "thursday, 2 JAN 2020 3:4:5 GMT+01:30", "Thu, 02 Jan 2020 03:04:05 +0100", "Thu, 02 Foo 2020 03:04:05 GMT", "Thu, 02 Jan 2020 03:04:05 XYZ", "Thu, 02 Jan 2020 03:04:05 gmt-5:00"},
        {"yyyy-MM-dd'T'HH:mm:ssXXX", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05+01:00", "2020-01-02T03:04:05+0100", "2020-01-02T03:04:05-23:59", "2020-01-02T03:04:05+24:00", "2020-01-02T03:04:05", "2020-01-02T03:04:05+1:00"},
        {"yyyy-MM-dd'T'HH:mm:ssX", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05+01", "2020-01-02T03:04:05+0130", "2020-01-02T03:04:05-1"}, {"HH:mm XX", "03:04 +0130", "03:04 Z", "03:04 +01:30"}, {"HH:mm Z", "03:04 +0130", "03:04 -0000", "03:04 GMT", "03:04 GMT+1:00", "03:04 GMT+01:00", "03:04 +130", "03:04 +1:30"},
        {"h:mm a", "12:00 AM", "12:00 PM", "1:05 pm", "13:00 AM", "0:00 PM"}, {"K:mm a", "0:00 AM", "11:59 PM", "12:00 AM"}, {"k:mm", "24:00", "1:00", "0:00"}, {"hh", "5"}, {"a", "PM"}, {"HH hh a", "05 03 PM"}, {"hh a HH", "03 PM 05"},
        {"D yyyy", "366 2020", "1 1970", "400 2020"}, {"yyyy-DDD", "2020-060", "2021-060"}, {"yyyyDDD", "2020060"}, {"w YYYY u", "1 2020 3", "53 2020 7"}, {"YYYY-'W'ww-u", "2020-W01-1", "2020-W53-7", "2019-W10-0", "2019-W10-8"}, {"ww-YY E", "05-20 Mon"}, {"yyyy ww E", "2020 05 Tue"},
        {"W F MMM yyyy", "2 3 Jan 2020"}, {"F EEE MM yyyy", "2 Thu 01 2020", "-1 Fri 03 2020", "5 Mon 02 2021"}, {"W EEE MM yyyy", "2 Thu 01 2020"}, {"EEE", "Mon", "Sunday"}, {"E yyyy", "Mon 2020"}, {"MMM dd, yyyy", "Jan 02, 2020", "september 5, 2020", "Sept 5, 2020", "May 1, 2020"},
        {"y G", "2020 AD", "5 BC", "44 bc"}, {"MMMyyyy", "Feb2020", "February2020"}, {"yyyyMMddHHmmssSSS", "20200102030405006", "2020010203040500"}, {"SSSSSS", "123456", "1"}, {"'o''clock' HH", "o'clock 5"}, {"HHmm", "0304", "304", "-304"}, {"yyyyMMM", "2020Jan"}, {"yyyyMMMdd", "2020Jan05"}, {"", "x"}, {"LLLL yyyy", "March 2020"}, {"M/d/yyyy", "3/4/2020", " 3/ 4/2020"}, {"d MMM yyyy", "5  Jan 2020", "5 Jan  2020", " 5 Jan 2020"}, {"a h", " PM 3"}, {"h a", "3  PM"}, {"EEE d", "\tMon 5"}, {"HH z", "5  GMT"},
    };
    private static final String[][] REPLACEMENTS = {
        {"(.*)-(.*)", "$2-$1", "a-b", "ab"}, {"(?<left>.*)-.*", "${left}x\\$1\\\\", "a-b"}, {"a|ab", "x", "ab"}, {"(a)(b)?", "$1$2$11", "a", "ab"}, {"(a)", "$2", "a", "b"}, {"(a)", "${x}", "a"}, {"(a)", "$", "a"}, {"(a)", "$a", "a"}, {"(a)", "\\", "a"}, {"(a)", "${1}", "a"}, {"(a)", "${", "a"},
        {"(?<n>a)", "${n", "a"}, {"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)", "$11$10$1", "abcdefghijk"}, {"(a)", "$10$01", "a"}, {".*", "x", "abc", ""}, {"b*", "x", "abc"}, {"topic[0-9]+", "prefix.$0", "topic12", "xtopic1"}, {"(?i)TOPIC(.*)", "t$1", "topicX"}, {"([a-z]+?)([0-9]*)", "$1_$2", "abc12"}, {"^(\\w+)\\.(\\w+)$", "$2.$1", "a.b"}, {"(a)|(b)", "[$1$2]", "b"}, {"x", "\\y\\$", "x"}, {"\\p{javaLowerCase}+", "x", "Abc", "ABC"}, {"\\P{javaLetterOrDigit}", "_", "ab-c", "a"}, {"[\\p{javaUpperCase}\\p{javaDigit}]+", "x", "aB9c"}, {"\\p{sc=Latin}+\\p{IsDigit}", "x", "-ab1"}, {"\\p{InBasic_Latin}{2}\\p{blk=BasicLatin}", "x", "abcd"}, {"\\p{gc=Lu}|\\p{general_category=Nd}", "x", "a1B"}, {"\\p{L1}\\p{LC}", "x", "-b"},
    };
    private static final String[] STRINGS = {
        "null", "{bool:true}", "{i8:-1}", "{i16:300}", "{i32:5}", "{i64:'-9'}", "{float:'1.5'}", "{double:'1E21'}", "{double:'1E7'}", "{double:'9999999'}", "{double:'0.001'}", "{double:'0.0009'}", "{double:'NaN'}", "{double:'-0.0'}", "{double:'4.9E-324'}", "{s:'x'}", "{dec:['1','3']}", "{dec:['123',-3]}", "{dec:['123',10]}", "{dec:['-1',7]}",
        "{date:1577934245000}", "{date:-62198755200000}", "{date:-12219292800001}", "{date:253402300800000}", "{a:[]}", "{a:[{i32:1},null,{s:'x'},{a:[{bool:false}]}]}", "{m:[]}", "{m:[[{s:'b'},{i32:1}],[{i32:5},{double:'1.0'}],[null,null]]}", "{lm:[[{s:'z'},{i32:1}],[{s:'a'},{a:[]}]]}",
        "{st:[{t:'STRUCT',f:[['a','INT32'],['b',{t:'STRING',o:true}],['c',{t:'ARRAY',e:'STRING'}],['d',{t:'INT32',d:{i32:5}}]]},[{i32:1},null,{a:[{s:'x'}]},{i32:5}]]}", "{st:[{t:'STRUCT',n:'x',f:[['a',{t:'INT32',o:true}]]},[null]]}",
    };

    private TextVectors() { }

    static void add(Output output) {
        for (String text : STRINGS) {
            Object value = Notation.value(text);
            ObjectNode input = Notation.object().put("op", "string");
            input.set("value", Notation.node(value));
            output.add(input, () -> Notation.text(String.valueOf(value)));
        }
        for (String pattern : PATTERNS)
            for (long millis : MILLIS)
                output.add(Notation.object().put("op", "format").put("pattern", pattern).put("millis", millis),
                        () -> Notation.text(format(pattern).format(new Date(millis))));
        for (String[] parsed : PARSED)
            for (int i = 1; i < parsed.length; i++)
                parse(output, parsed[0], parsed[i]);
        for (String[] r : REPLACEMENTS)
            for (int i = 2; i < r.length; i++)
                replace(output, r[0], r[1], r[i]);
        variables(output);
        numbers(output);
        orders(output);
    }

    static SimpleDateFormat format(String pattern) {
        SimpleDateFormat format = new SimpleDateFormat(pattern, Locale.US);
        format.setTimeZone(TimeZone.getTimeZone("UTC"));
        return format;
    }

    static void parse(Output output, String pattern, String text) {
        ObjectNode input = Notation.object().put("op", "parse").put("pattern", pattern).put("in", text);
        output.add(input, () -> {
            ParsePosition position = new ParsePosition(0);
            Date date = format(pattern).parse(text, position);
            return date == null || position.getIndex() == 0 ? NullNode.instance : LongNode.valueOf(date.getTime());
        });
    }

    static void replace(Output output, String regex, String replacement, String text) {
        ObjectNode input = Notation.object().put("op", "replace").put("regex", regex).put("replacement", replacement).put("in", text);
        output.add(input, () -> {
            Matcher matcher = Pattern.compile(regex).matcher(text);
            return Notation.text(matcher.replaceFirst(replacement));
        });
    }

    /** Settings with variables; the provider knows every key that does not begin with n. */
    private static void variables(Output output) {
        String[] pieces = {"${", "}", ":", "p", "q", "k", "n", "$", "{", "/a/b", "x", "${p:k}", "${p:/a:k}", " "};
        ConfigProvider provider = new ConfigProvider() {
            @Override
            public ConfigData get(String path) {
                throw new UnsupportedOperationException();
            }

            @Override
            public ConfigData get(String path, java.util.Set<String> keys) {
                Map<String, String> data = new HashMap<>();
                keys.stream().filter(key -> !key.startsWith("n")).forEach(key -> data.put(key, "<" + path + "|" + key + ">"));
                return new ConfigData(data);
            }

            @Override
            public void configure(Map<String, ?> configs) { }

            @Override
            public void close() { }
        };
        Random random = new Random(3);
        for (int i = 0; i < 400; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = 1 + random.nextInt(10); n > 0; n--)
                text.append(pieces[random.nextInt(pieces.length)]);
            output.add(Notation.object().put("op", "variables").put("in", text.toString()),
                    () -> Notation.text(new ConfigTransformer(Map.of("p", provider)).transform(Map.of("k", text.toString())).data().get("k")));
        }
    }

    private static void numbers(Output output) {
        Random random = new Random(4);
        for (int i = 0; i < 400; i++) {
            double value = i % 2 == 0 ? Double.longBitsToDouble(random.nextLong())
                    : Double.parseDouble(random.nextInt(1 << (1 + random.nextInt(30))) + "E" + (random.nextInt(40) - 20));
            String text = Double.toString(value);
            output.add(Notation.object().put("op", "double").put("bits", Long.toString(Double.doubleToLongBits(value))), () -> Notation.text(text));
            float small = i % 2 == 0 ? Float.intBitsToFloat(random.nextInt()) : (float) value;
            output.add(Notation.object().put("op", "float").put("bits", Float.floatToIntBits(small)), () -> Notation.text(Float.toString(small)));
        }
    }

    /** The order in which a map yields keys that were put, some taken out, some put again. */
    private static void orders(Output output) {
        Random random = new Random(9);
        for (int i = 0; i < 60; i++) {
            List<String> words = JsonVectors.words(random, 1 + i * 2);
            boolean mixed = i % 3 == 2;
            Map<Object, Object> map = i % 4 == 3 ? new HashMap<>(i) : new HashMap<>();
            ObjectNode input = Notation.object().put("op", "order").put("capacity", i % 4 == 3 ? i : -1);
            ArrayNode keys = input.putArray("keys");
            for (String word : words) {
                Object key = mixed ? other(random, word) : word;
                if (map.put(key, null) == null)
                    keys.add(Notation.node(key));
            }
            ObjectNode out = Notation.object();
            output.add(input, () -> {
                ArrayNode order = out.putArray("order");
                map.keySet().forEach(key -> order.add(Notation.node(key)));
                ArrayNode copy = out.putArray("copied");
                new HashMap<>(map).keySet().forEach(key -> copy.add(Notation.node(key)));
                return out;
            });
        }
    }

    private static Object other(Random random, String word) {
        switch (random.nextInt(8)) {
            case 0: return random.nextInt();
            case 1: return random.nextLong();
            case 2: return random.nextDouble() * 1e6;
            case 3: return random.nextFloat();
            case 4: return new java.math.BigDecimal(new java.math.BigInteger(random.nextInt(100), random).negate(), random.nextInt(9) - 3);
            case 5: return new Date(random.nextLong());
            case 6: return List.of(word, random.nextInt(5));
            default: return word;
        }
    }
}
