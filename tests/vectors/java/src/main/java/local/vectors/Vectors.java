package local.vectors;

import java.nio.file.Path;
import java.util.Map;

import local.vectors.data.DataVectors;
import local.vectors.data.RandomVectors;

import org.apache.kafka.connect.runtime.distributed.GroupVectors;

/** Runs the maker of one subject: {@code SUBJECT FOLDER}, where FOLDER gets the files. */
public final class Vectors {
    /** Writes its files into a folder. */
    public interface Maker {
        void write(Path folder) throws Exception;
    }

    private static final Map<String, Maker> SUBJECTS = Map.of(
            "data", DataVectors::write,
            "random", RandomVectors::write,
            "group", GroupVectors::write);

    private Vectors() { }

    public static void main(String[] args) throws Exception {
        if (args.length != 2 || !SUBJECTS.containsKey(args[0])) {
            System.err.println("usage: SUBJECT FOLDER, with SUBJECT one of " + SUBJECTS.keySet());
            System.exit(2);
        }
        SUBJECTS.get(args[0]).write(Path.of(args[1]));
    }
}
