//! Names in `\p{…}` that only Java knows.

/// Content of the brackets for names of Java's own, scripts and categories; `None`: Rust may know the name.
pub(super) fn unicode_class(name: &str) -> Option<String> {
    if let Some((key, value)) = name.split_once('=') {
        return match key.to_ascii_lowercase().as_str() {
            "sc" | "script" => Some(format!(r"\p{{sc={value}}}")),
            "gc" | "general_category" => Some(format!(r"\p{{gc={value}}}")),
            "blk" | "block" => unicode_class(&format!("In{value}")),
            _ => None,
        };
    }
    let class = match name {
        "javaLowerCase" => r"\p{Lowercase}",
        "javaUpperCase" => r"\p{Uppercase}",
        "javaAlphabetic" => r"\p{Alphabetic}",
        "javaLetter" => r"\p{L}",
        "javaDigit" => r"\p{Nd}",
        "javaLetterOrDigit" | "LD" => r"\p{L}\p{Nd}",
        "javaSpaceChar" => r"\p{Z}",
        "L1" => r"\x00-\x{FF}",
        "LC" => r"\p{Lu}\p{Ll}\p{Lt}",
        _ if name.to_ascii_lowercase().replace([' ', '_', '-'], "") == "inbasiclatin" => r"\x00-\x7F",
        _ => return None,
    };
    Some(class.to_owned())
}
