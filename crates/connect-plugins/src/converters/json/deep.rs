//! Stack for what is nested deeply. Jackson allows 1000 levels, which the stack of a worker's thread may not have.

use connect_api::ConnectError;
use connect_api::data::Value;

/// Levels for which every stack is large enough.
const SHALLOW: usize = 64;
/// Bytes of stack for 1000 levels and more.
const STACK: usize = 32 << 20;

/// Runs `work` where it stands, or on a thread with a large stack if data are nested many levels deep.
///
/// # Errors
/// Those of `work`; or if no thread can be had, which may pass.
pub(super) fn run<T: Send>(
    levels: usize,
    work: impl FnOnce() -> Result<T, ConnectError> + Send,
) -> Result<T, ConnectError> {
    if levels <= SHALLOW {
        return work();
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("deep-json".to_owned()).stack_size(STACK);
        let running = thread.spawn_scoped(scope, work);
        let running = running.map_err(|error| {
            ConnectError::retriable(format!(
                "No thread for JSON that is nested {levels} levels deep: {error}"
            ))
        })?;
        running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Greatest depth of JSON.
pub(super) fn of_text(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for c in text {
        match c {
            b'"' if !escaped => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = quoted && *c == b'\\' && !escaped;
    }
    deepest
}

/// Depth of a value.
pub(super) fn of_value(value: &Value) -> usize {
    let inner = |deepest: usize, value: &Value| deepest.max(of_value(value));
    1 + match value {
        Value::Array(items) => items.iter().fold(0, inner),
        Value::Map(map) => map.iter().fold(0, |deepest, (key, value)| inner(inner(deepest, key), value)),
        Value::Struct(data) => data.values.iter().fold(0, inner),
        _ => return 0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_counted() {
        for (text, levels) in [("1", 0), ("[]", 1), (r#"[{"[[":"\"[["},[[]]]"#, 3), ("]]][", 1)] {
            assert_eq!(of_text(text.as_bytes()), levels, "{text}");
        }
        let value = Value::Array(vec![Value::Null, Value::Array(vec![Value::Int8(1)])]);
        assert_eq!(of_value(&value), 2);
        let panicked = std::panic::catch_unwind(|| run::<()>(100, || panic!("as it was")));
        assert_eq!(*panicked.unwrap_err().downcast::<&str>().unwrap(), "as it was");
    }
}
