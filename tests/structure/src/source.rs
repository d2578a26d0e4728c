//! One source file: its figures and the paths that it names.

use std::path::{Path, PathBuf};

use syn::spanned::Spanned;
use syn::visit::Visit;

/// First words of a doc paragraph that make a reader guess what is described.
const OPENERS: [&str; 6] = ["What", "How", "Who", "Where", "Whoever", "Whatever"];

/// A function and its length in lines.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

/// A source file without its tests.
pub(crate) struct Source {
    /// Relative to the project's folder.
    pub(crate) path: PathBuf,
    /// Lines without modules under `#[cfg(test)]`.
    pub(crate) lines: usize,
    pub(crate) functions: Vec<Function>,
    pub(crate) doc_paragraphs: usize,
    /// Lines whose doc paragraph opens with one of [`OPENERS`].
    pub(crate) openers: Vec<usize>,
    /// Lines of `true =>` and `false =>` arms.
    pub(crate) bool_arms: Vec<usize>,
    /// Paths named in private `use` items, one for each leaf.
    pub(crate) imports: Vec<Vec<String>>,
    /// Names that the file passes on (`pub use`) with the paths they come from; a glob has no name.
    pub(crate) exports: Vec<(Option<String>, Vec<String>)>,
}

impl Source {
    /// Reads `path`, which is relative to `root`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not Rust.
    pub(crate) fn read(root: &Path, path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(root.join(path))?;
        let parsed = syn::parse_file(&text)?;
        let mut source = Self {
            path: path.to_owned(),
            lines: text.lines().count(),
            functions: Vec::new(),
            doc_paragraphs: 0,
            openers: Vec::new(),
            bool_arms: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
        };
        let mut reader = Reader { source: &mut source, tests: Vec::new() };
        reader.visit_file(&parsed);
        let tests = std::mem::take(&mut reader.tests);
        source.lines -= tests.iter().map(|(first, last)| last - first + 1).sum::<usize>();
        source.read_docs(&text, &tests);
        Ok(source)
    }

    fn read_docs(&mut self, text: &str, tests: &[(usize, usize)]) {
        let mut opens = true;
        for (line, number) in text.lines().zip(1..) {
            if tests.iter().any(|(first, last)| (*first..=*last).contains(&number)) {
                continue;
            }
            let doc = line.trim_start();
            let Some(doc) = doc.strip_prefix("///").or_else(|| doc.strip_prefix("//!")) else {
                opens = true;
                continue;
            };
            let word = doc.split_whitespace().next().unwrap_or_default();
            if opens && !word.is_empty() {
                self.doc_paragraphs += 1;
                if OPENERS.contains(&word.trim_end_matches(|c: char| !c.is_alphanumeric())) {
                    self.openers.push(number);
                }
            }
            opens = word.is_empty();
        }
    }
}

/// Collects while it walks through the syntax tree.
struct Reader<'a> {
    source: &'a mut Source,
    /// First and last lines of what is compiled for tests only.
    tests: Vec<(usize, usize)>,
}

impl Reader<'_> {
    fn function(&mut self, signature: &syn::Signature, whole: proc_macro2::Span) {
        let line = signature.span().start().line;
        let lines = whole.end().line + 1 - line;
        self.source.functions.push(Function { name: signature.ident.to_string(), line, lines });
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if let Some(span) = test_only(item) {
            self.tests.push((span.start().line, span.end().line));
            return;
        }
        syn::visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut found = Vec::new();
        leaves(&item.tree, &mut Vec::new(), &mut found);
        if matches!(item.vis, syn::Visibility::Inherited) {
            self.source.imports.extend(found.into_iter().map(|(_, path)| path));
        } else {
            self.source.exports.extend(found);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, item.span());
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, item.span());
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if let syn::Pat::Lit(syn::PatLit { lit: syn::Lit::Bool(value), .. }) = &arm.pat {
            self.source.bool_arms.push(value.span().start().line);
        }
        syn::visit::visit_arm(self, arm);
    }
}

/// Span of an item that is compiled for tests only.
fn test_only(item: &syn::Item) -> Option<proc_macro2::Span> {
    let attributes = match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        _ => return None,
    };
    let test = |attribute: &syn::Attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    };
    attributes.iter().any(test).then(|| item.span())
}

/// A name that a `use` item brings, none for a glob, and its path.
type Leaf = (Option<String>, Vec<String>);

/// Adds every leaf of a `use` tree.
fn leaves(tree: &syn::UseTree, prefix: &mut Vec<String>, found: &mut Vec<Leaf>) {
    let whole = |prefix: &[String], name: &syn::Ident| {
        prefix.iter().cloned().chain((name != "self").then(|| name.to_string())).collect::<Vec<_>>()
    };
    match tree {
        syn::UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            leaves(&path.tree, prefix, found);
            prefix.pop();
        }
        syn::UseTree::Group(group) => group.items.iter().for_each(|item| leaves(item, prefix, found)),
        syn::UseTree::Name(name) => {
            let path = whole(prefix, &name.ident);
            found.push((path.last().cloned(), path));
        }
        syn::UseTree::Rename(rename) => {
            found.push((Some(rename.rename.to_string()), whole(prefix, &rename.ident)));
        }
        syn::UseTree::Glob(_) => found.push((None, prefix.clone())),
    }
}
