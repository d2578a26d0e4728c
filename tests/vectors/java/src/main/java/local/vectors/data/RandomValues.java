package local.vectors.data;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;

/** Schemas and values by chance, with a liking for limits. */
final class RandomValues {
    static final String[] FIELDS = {"a", "b", "c", "d", "e.f", "n"};
    private static final String[] NUMBERS = {
        "0", "1", "-1", "127", "128", "-128", "-129", "255", "300", "32767", "32768", "-32769", "65536", "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967296", "9007199254740993", "9223372036854775807",
        "-9223372036854775808", "1577934245006", "-62135596800000", "253402300799999", "86400000", "86399999", "-86400000", "1000000",
    };
    private static final String[] REALS = {
        "0.0", "-0.0", "1.5", "-1.5", "0.1", "0.30000000000000004", "NaN", "Infinity", "-Infinity", "1e7", "9999999.0", "1.0E-3", "0.00099", "1e21", "1e300", "-1e300", "4.9E-324", "2.2250738585072014E-308", "1.7976931348623157E308", "3.4028235E38",
        "1.4E-45", "16777217", "2147483647.5", "-2147483648.9", "9.223372036854775807E18", "123456789.125", "127.9", "-0.9", "1e10", "3.0E9",
    };
    private static final String[] STRINGS = {
        "", " ", "x", "true", "TRUE", "False", "null", "1", "-1", "+1", "007", "1.5", "1e3", "1E400", "NaN", "Infinity", "0x1p3", " 12 ", "128", "9223372036854775808", "2020-01-02", "2020-01-02T03:04:05.006Z", "03:04:05.006Z", "a\"b", "a\\b", "[1,2]", "{\"a\":1}", "\u00e9\u4e2d", "\ud83d\ude00", "a\nb", "\u0000\u001f",
        "a,b", "${x}", "</script>", "\u2028\u2029", "\u007f\u0080", "1d", "1f", "1L", "--1", "1_000", "\u0661", "topic-1",
    };

    final Random random;

    RandomValues(long seed) {
        random = new Random(seed);
    }

    <T> T one(T[] of) {
        return of[random.nextInt(of.length)];
    }

    boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    long whole() {
        switch (random.nextInt(4)) {
            case 0: return random.nextInt(20) - 5;
            case 1: return random.nextLong();
            case 2: return random.nextInt();
            default: return Long.parseLong(one(NUMBERS));
        }
    }

    /** Of few digits: what Java writes beyond those depends on its version. */
    double real() {
        double value;
        do {
            value = anyReal();
            if (Double.isFinite(value))
                value = new BigDecimal(value).round(new MathContext(6)).doubleValue();
        } while (Float.toString((float) value).replaceAll("E.*|[^0-9]", "").length() > 8);
        return value;
    }

    private double anyReal() {
        switch (random.nextInt(4)) {
            case 0: return random.nextInt(2000) / 8.0 - 50;
            case 1: return Double.longBitsToDouble(random.nextLong());
            case 2: return random.nextGaussian() * Math.pow(10, random.nextInt(24) - 8);
            default: return Double.parseDouble(one(REALS));
        }
    }

    String string() {
        if (chance(60))
            return one(STRINGS);
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(12); n > 0; n--)
            text.append(chance(80) ? String.valueOf((char) (32 + random.nextInt(95))) : one(STRINGS));
        return text.toString();
    }

    BigDecimal decimal(int scale) {
        return new BigDecimal(new BigInteger(1 + random.nextInt(chance(80) ? 40 : 200), random).multiply(BigInteger.valueOf(chance(50) ? 1 : -1)), scale);
    }

    Date date(String logical) {
        if (org.apache.kafka.connect.data.Date.LOGICAL_NAME.equals(logical) && chance(95))
            return new Date((random.nextInt(60000) - 20000) * 86400000L);
        if (Time.LOGICAL_NAME.equals(logical) && chance(95))
            return new Date(random.nextInt(86400000));
        return new Date(chance(90) ? (long) (random.nextGaussian() * 1e12) : whole() / 4096);
    }

    byte[] bytes() {
        byte[] bytes = new byte[random.nextInt(10)];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Nearly UTF-8. */
    byte[] malformed() {
        int[] leads = {0x61, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff, 0xa0, 0x9f, 0x90, 0x8f, 0x00, 0x31};
        byte[] bytes = new byte[random.nextInt(9)];
        for (int i = 0; i < bytes.length; i++)
            bytes[i] = (byte) leads[random.nextInt(leads.length)];
        return bytes;
    }

    /** A value without schema. */
    Object value(int depth) {
        switch (random.nextInt(depth > 0 ? 15 : 12)) {
            case 0: return null;
            case 1: return chance(50);
            case 2: return (byte) whole();
            case 3: return (short) whole();
            case 4: return (int) whole();
            case 5: return whole();
            case 6: return (float) real();
            case 7: return real();
            case 8: return chance(50) ? bytes() : string();
            case 9: return chance(50) ? decimal(random.nextInt(12) - 3) : string();
            case 10: return chance(50) ? date(null) : string();
            case 11: return string();
            case 12: {
                List<Object> list = new ArrayList<>();
                for (int n = random.nextInt(4); n > 0; n--)
                    list.add(value(depth - 1));
                return list;
            }
            case 13: return map(depth);
            default: return valueOf(structSchema(depth - 1), depth);
        }
    }

    Map<Object, Object> map(int depth) {
        Map<Object, Object> map = new HashMap<>();
        boolean strings = chance(80);
        for (int n = random.nextInt(6); n > 0; n--)
            map.put(strings ? one(FIELDS) : value(0), value(depth - 1));
        map.keySet().removeIf(key -> key instanceof byte[]);
        return map;
    }

    Schema schema(int depth) {
        int kind = random.nextInt(depth > 0 ? 17 : 13);
        SchemaBuilder builder;
        switch (kind) {
            case 0: case 1: case 2: case 3: case 4: case 5: case 6: case 7: case 8:
                builder = SchemaBuilder.type(Schema.Type.values()[kind]);
                break;
            case 9: builder = Decimal.builder(random.nextInt(8) - 2); break;
            case 10: builder = org.apache.kafka.connect.data.Date.builder(); break;
            case 11: builder = Time.builder(); break;
            case 12: builder = Timestamp.builder(); break;
            case 13: builder = SchemaBuilder.array(schema(depth - 1)); break;
            case 14: builder = SchemaBuilder.map(chance(60) ? Schema.STRING_SCHEMA : schema(0), schema(depth - 1)); break;
            default: return structSchema(depth - 1);
        }
        decorate(builder);
        Schema built = builder.build();
        if (chance(15))
            builder.defaultValue(required(built, depth));
        return builder.build();
    }

    private void decorate(SchemaBuilder builder) {
        if (chance(45))
            builder.optional();
        if (builder.name() == null && chance(10))
            builder.name("name.of." + one(FIELDS));
        if (builder.version() == null && chance(10))
            builder.version(random.nextInt(5));
        if (chance(5))
            builder.doc(string());
        if (chance(5))
            builder.parameter("p" + random.nextInt(20), string()).parameter("q", string());
    }

    Schema structSchema(int depth) {
        SchemaBuilder builder = SchemaBuilder.struct();
        decorate(builder);
        for (String field : FIELDS)
            if (chance(70))
                builder.field(field, schema(depth));
        return builder.build();
    }

    private Object required(Schema schema, int depth) {
        for (int i = 0; i < 50; i++) {
            Object value = valueOf(schema, depth);
            if (value != null)
                return value;
        }
        return null;
    }

    /** A value that fits, but for a few. */
    Object valueOf(Schema schema, int depth) {
        if (schema.isOptional() && chance(20) || chance(1))
            return null;
        if (chance(1))
            return value(0);
        if (Decimal.LOGICAL_NAME.equals(schema.name()))
            return decimal(chance(97) ? Integer.parseInt(schema.parameters().get("scale")) : 1);
        if (schema.name() != null && schema.name().startsWith("org.apache"))
            return date(schema.name());
        switch (schema.type()) {
            case INT8: return (byte) whole();
            case INT16: return (short) whole();
            case INT32: return (int) whole();
            case INT64: return whole();
            case FLOAT32: return (float) real();
            case FLOAT64: return real();
            case BOOLEAN: return chance(50);
            case STRING: return string();
            case BYTES: return bytes();
            case ARRAY: {
                List<Object> list = new ArrayList<>();
                for (int n = random.nextInt(4); n > 0; n--)
                    list.add(valueOf(schema.valueSchema(), depth - 1));
                return list;
            }
            case MAP: {
                Map<Object, Object> map = new HashMap<>();
                for (int n = random.nextInt(4); n > 0; n--)
                    map.put(valueOf(schema.keySchema(), depth - 1), valueOf(schema.valueSchema(), depth - 1));
                // Arrays of bytes have an order of their own in every run.
                map.keySet().removeIf(key -> key instanceof byte[]);
                return map;
            }
            default: {
                Struct struct = new Struct(schema);
                for (Field field : schema.fields())
                    struct.put(field, valueOf(field.schema(), depth - 1));
                return struct;
            }
        }
    }
}
