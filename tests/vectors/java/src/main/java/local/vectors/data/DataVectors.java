package local.vectors.data;

import java.nio.file.Path;
import java.util.Locale;
import java.util.TimeZone;

/** Converters, transformations, and texts of Java's library. */
public final class DataVectors {
    private DataVectors() { }

    public static void write(Path folder) throws Exception {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        Locale.setDefault(Locale.US);
        Output json = new Output();
        JsonVectors.add(json);
        json.write(folder.resolve("json.jsonl"));
        Output headers = new Output();
        HeaderVectors.add(headers);
        headers.write(folder.resolve("converters.jsonl"));
        Output transforms = new Output();
        TransformVectors.add(transforms);
        transforms.write(folder.resolve("transforms.jsonl"));
        Output definitions = new Output();
        DefinitionVectors.add(definitions);
        definitions.write(folder.resolve("definitions.jsonl"));
        Output texts = new Output();
        TextVectors.add(texts);
        texts.write(folder.resolve("texts.jsonl"));
    }
}
