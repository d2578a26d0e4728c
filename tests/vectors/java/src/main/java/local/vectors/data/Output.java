package local.vectors.data;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** A file of cases, one a line. */
final class Output {
    /** What is tried. */
    interface Trial {
        JsonNode result() throws Exception;
    }

    private final List<String> lines = new ArrayList<>();

    /** Adds a case with its result: {@code out}, or {@code error} if it throws. */
    void add(ObjectNode input, Trial trial) {
        try {
            input.set("out", trial.result());
        } catch (Exception | StackOverflowError e) {
            input.setAll(Notation.error(e));
        }
        String line = input.toString();
        // Halves of surrogate pairs have no place in a file.
        if (StandardCharsets.UTF_8.newEncoder().canEncode(line))
            lines.add(line);
    }

    void write(Path file) throws IOException {
        Files.write(file, lines);
    }
}
