package local.vectors.data;

import java.util.HashMap;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Transformation;

/** Every transformation, on records with and without schemas. */
final class TransformVectors {
    private static final String DEC = "{t:'BYTES',n:'org.apache.kafka.connect.data.Decimal',v:1,p:[['scale','2']]}";
    private static final String DATE = "{t:'INT32',n:'org.apache.kafka.connect.data.Date',v:1}";
    private static final String TIME = "{t:'INT32',n:'org.apache.kafka.connect.data.Time',v:1}";
    private static final String STAMP = "{t:'INT64',n:'org.apache.kafka.connect.data.Timestamp',v:1}";
    private static final String INNER = "{t:'STRUCT',o:true,f:[['x','INT32'],['y',{t:'STRING',o:true,d:{s:'dy'}}]]}";
    private static final String REC = "{t:'STRUCT',n:'rec',v:2,doc:'d',p:[['k','v']],f:[['id','INT64'],['name',{t:'STRING',o:true}],['size',{t:'INT32',o:true,d:{i32:7}}],['inner'," + INNER + "],['on','BOOLEAN'],"
            + "['ratio',{t:'FLOAT64',o:true}],['price',{t:'BYTES',o:true,n:'org.apache.kafka.connect.data.Decimal',v:1,p:[['scale','2']]}],['at',{t:'INT64',o:true,n:'org.apache.kafka.connect.data.Timestamp',v:1}],['raw',{t:'BYTES',o:true}],['list',{t:'ARRAY',e:'INT32',o:true}]]}";
    private static final String FULL = "{st:[" + REC + ",[{i64:5},{s:'n'},{i32:1},{st:[" + INNER + ",[{i32:3},null]]},{bool:true},{double:'2.5'},{dec:['150',2]},{date:1577934245006},{b:'0102'},{a:[{i32:1}]}]]}";
    private static final String SPARSE = "{st:[" + REC + ",[{i64:5},null,null,null,{bool:false},null,null,null,null,null]]}";
    private static final String MAP = "{m:[[{s:'id'},{i64:5}],[{s:'name'},{s:'n'}],[{s:'size'},{i32:1}],[{s:'inner'},{m:[[{s:'x'},{i32:3}],[{s:'y'},null],[{s:'z.q'},{s:'dot'}]]}],[{s:'on'},{bool:true}],[{s:'ratio'},{double:'2.5'}],[{s:'raw'},{b:'0102'}],[{s:'list'},{a:[{i32:1}]}],[{s:'nil'},null]]}";
    private static final String WITH_MAP = "{t:'STRUCT',f:[['m',{t:'MAP',k:'STRING',e:'INT32'}]]}";
    private static final String DEFAULTED = "{t:'STRUCT',o:true,f:[['a','INT32'],['b',{t:'STRING',o:true}],['at',{t:'STRING',o:true}]],d:{st:[{t:'STRUCT',f:[['a','INT32'],['b',{t:'STRING',o:true}],['at',{t:'STRING',o:true}]]},[{i32:4},{s:'z'},{s:'2020-01-02'}]]}}";
    private static final String NESTED_DEFAULT = "{t:'STRUCT',f:[['o',{t:'STRUCT',f:[['a','INT32'],['p',{t:'STRUCT',o:true,f:[['b','INT32']]}]],d:{st:[{t:'STRUCT',f:[['a','INT32'],['p',{t:'STRUCT',o:true,f:[['b','INT32']]}]]},[{i32:4},null]]}}]]}";

    /** Schema and value. */
    private static final String[][] DATA = {
        {REC, FULL}, {REC, SPARSE}, {"null", MAP}, {"null", "null"}, {"{t:'STRUCT',o:true,f:[['id','INT32']]}", "null"}, {"'STRING'", "{s:'x'}"}, {"null", "{s:'x'}"}, {"null", "{m:[]}"},
    };

    private static final String[][] CASES = {
        {"Cast", "{}"}, {"Cast", "{spec:''}"}, {"Cast", "{spec:'id'}"}, {"Cast", "{spec:'id:bytes'}"}, {"Cast", "{spec:'id:int8:x'}"}, {"Cast", "{spec:'int8,id:int8'}"}, {"Cast", "{spec:'array'}"}, {"Cast", "{spec:':'}"}, {"Cast", "{spec:'id:'}"}, {"Cast", "{spec:' id : INT8 '}"},
        {"Cast", "{spec:'id:int8,name:string,size:float32,on:string,ratio:int32,price:string,at:string,raw:string,none:int8'}"}, {"Cast", "{spec:'size:string','replace.null.with.default':'false'}"}, {"Cast", "{spec:'price:int32,at:int32'}"}, {"Cast", "{spec:'inner:string'}"}, {"Cast", "{spec:'name:int32'}"}, {"Cast", "{spec:'raw:int8'}"}, {"Cast", "{spec:'string'}"}, {"Cast", "{spec:'nil:int8,extra:string,zz:boolean'}"},
        {"ExtractField", "{}"}, {"ExtractField", "{field:'name'}"}, {"ExtractField", "{field:'size'}"}, {"ExtractField", "{field:'size','replace.null.with.default':'false'}"}, {"ExtractField", "{field:'inner.x'}"}, {"ExtractField", "{field:'inner.x','field.syntax.version':'V2'}"}, {"ExtractField", "{field:'inner.y','field.syntax.version':'v2'}"}, {"ExtractField", "{field:'inner.y','field.syntax.version':'V2','replace.null.with.default':'false'}"}, {"ExtractField", "{field:'inner.`z.q`','field.syntax.version':'V2'}"}, {"ExtractField", "{field:'name.x','field.syntax.version':'V2'}"}, {"ExtractField", "{field:'none.x','field.syntax.version':'V2'}"}, {"ExtractField", "{field:'`a','field.syntax.version':'V2'}"}, {"ExtractField", "{field:'a','field.syntax.version':'V3'}"}, {"ExtractField", "{field:'none'}"}, {"ExtractField", "{field:'nil'}"},
        {"Flatten", "{}"}, {"Flatten", "{delimiter:'_'}"}, {"Flatten", "{delimiter:''}"},
        {"HeaderFrom", "{fields:'id,name',headers:'h1,h2',operation:'move'}"}, {"HeaderFrom", "{fields:'size,inner',headers:'h1,old',operation:'copy'}"}, {"HeaderFrom", "{fields:'size',headers:'h1',operation:'copy','replace.null.with.default':'false'}"}, {"HeaderFrom", "{fields:'none',headers:'h1',operation:'copy'}"}, {"HeaderFrom", "{fields:'a',headers:'h1,h2',operation:'copy'}"}, {"HeaderFrom", "{fields:'a',headers:'h1',operation:'cut'}"}, {"HeaderFrom", "{fields:'',headers:'h1',operation:'copy'}"}, {"HeaderFrom", "{fields:'nil',headers:'h1',operation:'move'}"},
        {"HoistField", "{field:'h'}"}, {"HoistField", "{}"}, {"HoistField", "{field:''}"},
        {"InsertField", "{}"}, {"InsertField", "{'topic.field':'t','partition.field':'p!','timestamp.field':'ts?','static.field':'s','static.value':'v'}"}, {"InsertField", "{'offset.field':'o'}"}, {"InsertField", "{'offset.field':'o','topic.field':'id'}"}, {"InsertField", "{'static.field':'s','static.value':'\u00a0v\u2028'}"}, {"InsertField", "{'static.field':'s'}"}, {"InsertField", "{'topic.field':'id'}"}, {"InsertField", "{'topic.field':'t','replace.null.with.default':'false'}"}, {"InsertField", "{'timestamp.field':'ts!'}"},
        {"MaskField", "{}"}, {"MaskField", "{fields:''}"}, {"MaskField", "{fields:'id,name,size,on,ratio,price,at,list'}"}, {"MaskField", "{fields:'raw'}"}, {"MaskField", "{fields:'inner'}"}, {"MaskField", "{fields:'id,name,size,ratio',replacement:'42'}"}, {"MaskField", "{fields:'price',replacement:'1.25'}"}, {"MaskField", "{fields:'price',replacement:'x'}"}, {"MaskField", "{fields:'id',replacement:'x'}"}, {"MaskField", "{fields:'id',replacement:'1e3'}"}, {"MaskField", "{fields:'on',replacement:'true'}"}, {"MaskField", "{fields:'id',replacement:''}"}, {"MaskField", "{fields:'none,zip,zap','replace.null.with.default':'false'}"},
        {"ReplaceField", "{}"}, {"ReplaceField", "{exclude:'id,name'}"}, {"ReplaceField", "{include:'id,size'}"}, {"ReplaceField", "{renames:'id:key,name:title'}"}, {"ReplaceField", "{renames:'id'}"}, {"ReplaceField", "{renames:'id:name'}"}, {"ReplaceField", "{blacklist:'id',whitelist:'id,name'}"}, {"ReplaceField", "{include:'id,size',exclude:'id',renames:'size:id','replace.null.with.default':'false'}"}, {"ReplaceField", "{renames:'a:b:c'}"}, {"ReplaceField", "{renames:':a'}"},
        {"SetSchemaMetadata", "{}"}, {"SetSchemaMetadata", "{'schema.name':'new'}"}, {"SetSchemaMetadata", "{'schema.version':'9'}"}, {"SetSchemaMetadata", "{'schema.name':'new','schema.version':'9','replace.null.with.default':'false'}"}, {"SetSchemaMetadata", "{'schema.version':'x'}"},
        {"TimestampConverter", "{}"}, {"TimestampConverter", "{'target.type':'string'}"}, {"TimestampConverter", "{'target.type':'string',format:'b'}"}, {"TimestampConverter", "{'target.type':'x'}"}, {"TimestampConverter", "{'target.type':'unix','unix.precision':'days'}"}, {"TimestampConverter", "{'target.type':'string',format:'yyyy-MM-dd HH:mm:ss.SSS',field:'at'}"}, {"TimestampConverter", "{'target.type':'unix',field:'at','unix.precision':'nanoseconds'}"}, {"TimestampConverter", "{'target.type':'Date',field:'id'}"}, {"TimestampConverter", "{'target.type':'Date',field:'name',format:'yyyy'}"}, {"TimestampConverter", "{'target.type':'Date',field:'name'}"}, {"TimestampConverter", "{'target.type':'Date',field:'size'}"}, {"TimestampConverter", "{'target.type':'Date',field:'nil'}"}, {"TimestampConverter", "{'target.type':'Time',field:'none'}"},
    };

    private static final String[][] SINGLE = {
        {"DropHeaders", "{headers:'old,x'}"}, {"DropHeaders", "{headers:''}"}, {"DropHeaders", "{}"}, {"Filter", "{}"}, {"InsertHeader", "{header:'h','value.literal':'[1,2]'}"}, {"InsertHeader", "{header:'h','value.literal':''}"}, {"InsertHeader", "{header:'h','value.literal':'null'}"}, {"InsertHeader", "{header:'h'}"}, {"InsertHeader", "{header:'','value.literal':'5'}"},
        {"RegexRouter", "{regex:'(.*)-(.*)',replacement:'$2-$1'}"}, {"RegexRouter", "{regex:'top',replacement:'x'}"}, {"RegexRouter", "{regex:'(',replacement:'x'}"}, {"RegexRouter", "{regex:'top.*',replacement:'$5'}"}, {"RegexRouter", "{regex:'.*',replacement:'${x}'}"}, {"RegexRouter", "{regex:'t|topic-1',replacement:'x'}"}, {"RegexRouter", "{regex:'x'}"},
        {"TimestampRouter", "{}"}, {"TimestampRouter", "{'topic.format':'${timestamp}.${topic}.${timestamp}$1','timestamp.format':'yyyy-MM'}"}, {"TimestampRouter", "{'topic.format':'fixed'}"},
        {"ValueToKey", "{fields:'id,name'}"}, {"ValueToKey", "{fields:'size'}"}, {"ValueToKey", "{fields:'size','replace.null.with.default':'false'}"}, {"ValueToKey", "{fields:'none'}"}, {"ValueToKey", "{fields:''}"}, {"ValueToKey", "{fields:'nil,id,on'}"},
    };

    /** Transformation, settings, schema, value. */
    private static final String[][] SPECIAL = {
        {"Flatten$Value", "{}", WITH_MAP, "{st:[" + WITH_MAP + ",[{m:[]}]]}"}, {"Flatten$Value", "{}", "null", "{m:[[{s:'a'},{dec:['1',0]}]]}"}, {"Flatten$Value", "{}", "null", "{m:[[{s:'a'},{st:[{t:'STRUCT',f:[]},[]]}]]}"}, {"Flatten$Value", "{}", "null", "{m:[[{s:'a'},{m:[[{s:'b'},{m:[[{s:'c'},{i32:1}]]}],[{s:'d'},null]]}],[{s:'a.d'},{i32:2}]]}"},
        {"Flatten$Value", "{}", NESTED_DEFAULT, "{st:[" + NESTED_DEFAULT + ",[{st:[{t:'STRUCT',f:[['a','INT32']]},[{i32:1}]]}]]}"}, {"Flatten$Value", "{}", DEFAULTED, "{st:[" + DEFAULTED + ",[{i32:1},null,null]]}"}, {"Flatten$Value", "{}", "{t:'STRUCT',f:[['a',{t:'STRUCT',f:[['b','INT32']]}],['a.b','INT32']]}", "{st:[{t:'STRUCT',f:[['a',{t:'STRUCT',f:[['b','INT32']]}],['a.b','INT32']]},[{st:[{t:'STRUCT',f:[['b','INT32']]},[{i32:1}]]},{i32:2}]]}"},
        {"Cast$Value", "{spec:'a:string'}", DEFAULTED, "{st:[" + DEFAULTED + ",[{i32:1},null,null]]}"}, {"TimestampConverter$Value", "{field:'at','target.type':'Date',format:'yyyy-MM-dd'}", DEFAULTED, "{st:[" + DEFAULTED + ",[{i32:1},null,{s:'2021-05-06'}]]}"}, {"TimestampConverter$Value", "{field:'at','target.type':'Date',format:'yyyy-MM-dd'}", DEFAULTED, "null"},
        {"ReplaceField$Value", "{exclude:'b'}", DEFAULTED, "{st:[" + DEFAULTED + ",[{i32:1},null,null]]}"}, {"SetSchemaMetadata$Value", "{'schema.name':'x'}", DEFAULTED, "{st:[" + DEFAULTED + ",[{i32:1},null,null]]}"}, {"HoistField$Value", "{field:'h'}", DEFAULTED, "null"}, {"HoistField$Value", "{field:'h'}", "'STRING'", "null"}, {"SetSchemaMetadata$Value", "{'schema.name':'x'}", "{t:'ARRAY',e:'INT32'}", "{a:[{i32:1}]}"}, {"SetSchemaMetadata$Value", "{'schema.name':'x'}", "{t:'MAP',k:'STRING',e:'INT32'}", "{m:[]}"},
        {"InsertField$Value", "{'topic.field':'t'}", DEFAULTED, "{st:[" + DEFAULTED + ",[{i32:1},null,null]]}"}, {"MaskField$Value", "{fields:'m'}", WITH_MAP, "{st:[" + WITH_MAP + ",[{m:[[{s:'a'},{i32:1}]]}]]}"}, {"ExtractField$Value", "{field:'a'}", "'STRING'", "null"},
    };

    /** Schemas and values that are cast to every type. */
    private static final String[][] CASTS = {
        {"'INT8'", "{i8:-1}"}, {"'INT16'", "{i16:300}"}, {"'INT32'", "{i32:70000}"}, {"'INT64'", "{i64:'9223372036854775807'}"}, {"'INT64'", "{i64:0}"}, {"'INT64'", "{i64:'4294967296'}"}, {"'FLOAT32'", "{float:'1.9'}"}, {"'FLOAT32'", "{float:'1e30'}"}, {"'FLOAT32'", "{float:'NaN'}"}, {"'FLOAT64'", "{double:'-1.9'}"}, {"'FLOAT64'", "{double:'1e300'}"}, {"'FLOAT64'", "{double:'3e9'}"}, {"'FLOAT64'", "{double:'0.5'}"}, {"'FLOAT64'", "{double:'-Infinity'}"}, {"'FLOAT64'", "{double:'1e20'}"},
        {"'BOOLEAN'", "{bool:true}"}, {"'BOOLEAN'", "{bool:false}"}, {"'STRING'", "{s:'1'}"}, {"'STRING'", "{s:'+7'}"}, {"'STRING'", "{s:' 7 '}"}, {"'STRING'", "{s:'128'}"}, {"'STRING'", "{s:'1.5'}"}, {"'STRING'", "{s:'1e5'}"}, {"'STRING'", "{s:'TRUE'}"}, {"'STRING'", "{s:''}"}, {"'STRING'", "{s:'NaN'}"}, {"'STRING'", "{s:'1f'}"}, {"'STRING'", "{s:'-Infinity'}"}, {"'STRING'", "{s:'9223372036854775808'}"}, {"'STRING'", "{s:'1e999'}"},
        {"'BYTES'", "{b:'00ff'}"}, {DEC, "{dec:['12345',2]}"}, {DEC, "{dec:['999999999999999999999999',2]}"}, {DEC, "{dec:['50',2]}"}, {DATE, "{date:864000000}"}, {DATE, "{date:1}"}, {TIME, "{date:1000}"}, {STAMP, "{date:1577934245006}"}, {STAMP, "{date:1577836800000}"}, {STAMP, "{date:-5}"}, {"{t:'ARRAY',e:'INT32'}", "{a:[]}"}, {"{t:'MAP',k:'STRING',e:'INT32'}", "{m:[]}"}, {"{t:'STRUCT',f:[]}", "{st:[{t:'STRUCT',f:[]},[]]}"},
        {"{t:'INT32',o:true,d:{i32:300},n:'n',v:4,doc:'d',p:[['a','b']]}", "{i32:5}"}, {"{t:'INT32',o:true,d:{i32:300}}", "null"}, {"{t:'INT64',n:'org.apache.kafka.connect.data.Timestamp',v:1,d:{date:5}}", "{date:7}"}, {"{t:'STRING',d:{s:'x'}}", "{s:'5'}"}, {"{t:'STRING',d:{s:'6'}}", "{s:'5'}"},
    };

    private static final String[][] TIMES = {
        {"'INT64'", "{i64:'1577934245006'}"}, {"'INT64'", "{i64:'-1'}"}, {"'INT64'", "{i64:'9223372036854775807'}"}, {"'STRING'", "{s:'2020-01-02 03:04:05.006'}"}, {"'STRING'", "{s:'x'}"}, {STAMP, "{date:1577934245006}"}, {STAMP, "{date:-1}"}, {DATE, "{date:1577836800000}"}, {TIME, "{date:1000}"}, {"'INT32'", "{i32:1}"}, {"{t:'INT64',o:true}", "null"}, {"{t:'INT64',o:true,n:'org.apache.kafka.connect.data.Timestamp'}", "{date:5}"}, {"'INT64'", "{s:'x'}"},
    };

    private TransformVectors() { }

    static void add(Output output) {
        for (String[] c : CASES)
            for (int i = 0; i < DATA.length; i++) {
                run(output, c[0] + "$Value", c[1], DATA[i], false, false);
                // Keys are treated as values are.
                if (i == 0 || i == 2)
                    run(output, c[0] + "$Key", c[1], DATA[i], true, c[0].startsWith("Insert"));
            }
        for (String[] c : SINGLE)
            for (String[] data : DATA) {
                run(output, c[0], c[1], data, false, false);
                run(output, c[0], c[1], data, false, true);
            }
        for (String[] c : SPECIAL)
            run(output, c[0], c[1], new String[] {c[2], c[3]}, false, false);
        for (String target : new String[] {"int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string"})
            for (String[] data : CASTS) {
                run(output, "Cast$Value", "{spec:'" + target + "'}", data, false, false);
                run(output, "Cast$Value", "{spec:'" + target + "'}", new String[] {"null", data[1]}, false, false);
                String struct = "{t:'STRUCT',f:[['f'," + data[0] + "]]}";
                run(output, "Cast$Value", "{spec:'f:" + target + "'}", new String[] {struct, "{st:[" + struct + ",[" + (data[1].equals("null") ? "null" : data[1]) + "]]}"}, false, false);
            }
        for (String target : new String[] {"string", "unix", "Date", "Time", "Timestamp"})
            for (String precision : new String[] {"seconds", "milliseconds", "microseconds", "nanoseconds"})
                for (String[] data : TIMES) {
                    String config = "{'target.type':'" + target + "','unix.precision':'" + precision + "',format:'yyyy-MM-dd HH:mm:ss.SSS'}";
                    run(output, "TimestampConverter$Value", config, data, false, false);
                    run(output, "TimestampConverter$Value", config, new String[] {"null", data[1]}, false, false);
                }
    }

    private static void run(Output output, String name, String config, String[] data, boolean key, boolean bare) {
        Schema schema;
        Object value;
        try {
            schema = Notation.schema(data[0]);
            value = Notation.value(data[1]);
        } catch (RuntimeException e) {
            // A struct that Java refuses to build is no case.
            return;
        }
        run(output, name, config, schema, value, key, bare);
    }

    static void run(Output output, String name, String config, Schema schema, Object value, boolean key, boolean bare) {
        String className = "org.apache.kafka.connect.transforms." + name;
        ObjectNode input = Notation.object().put("class", className);
        input.set("config", Notation.json(config));
        ConnectHeaders headers = new ConnectHeaders();
        headers.addInt("old", 1).addString("other", "x").addString("old", "2");
        Schema other = Schema.OPTIONAL_STRING_SCHEMA;
        ConnectRecord<?> record = bare
                ? new SourceRecord(null, null, "topic-1", null, key ? schema : other, key ? value : "o", key ? other : schema, key ? "o" : value, null, headers)
                : new SinkRecord("topic-1", 3, key ? schema : other, key ? value : "o", key ? other : schema, key ? "o" : value, 77, 1577934245006L, TimestampType.CREATE_TIME, headers);
        input.set("record", node(record));
        output.add(input, () -> apply(className, config, record));
    }

    @SuppressWarnings("unchecked")
    private static JsonNode apply(String className, String config, ConnectRecord<?> record) throws Exception {
        Map<String, String> map = new HashMap<>();
        Notation.json(config).fields().forEachRemaining(e -> map.put(e.getKey(), e.getValue().asText()));
        Transformation<?> transformation = (Transformation<?>) Class.forName(className).getConstructor().newInstance();
        transformation.configure(map);
        return record instanceof SinkRecord
                ? node(((Transformation<SinkRecord>) transformation).apply((SinkRecord) record))
                : node(((Transformation<SourceRecord>) transformation).apply((SourceRecord) record));
    }

    private static JsonNode node(ConnectRecord<?> record) {
        if (record == null)
            return NullNode.instance;
        ObjectNode node = Notation.object().put("topic", record.topic());
        node.put("partition", record.kafkaPartition());
        node.put("timestamp", record.timestamp());
        node.put("offset", record instanceof SinkRecord ? Long.valueOf(((SinkRecord) record).kafkaOffset()) : null);
        node.set("key", Notation.pair(record.keySchema(), record.key()));
        node.set("value", Notation.pair(record.valueSchema(), record.value()));
        ArrayNode headers = node.putArray("headers");
        for (Header header : record.headers())
            headers.addArray().add(header.key()).add(Notation.pair(header.schema(), header.value()));
        return node;
    }
}
