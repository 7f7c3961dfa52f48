//! A writer for tiny ONNX files: networks of other packs' layouts whose outputs are known.
//!
//! Field numbers are those of `onnx.proto` (IR version 8, operator set 13).

/// A message under construction.
#[derive(Default, Clone)]
struct Message(Vec<u8>);

impl Message {
    fn varint(mut self, field: u64, value: u64) -> Self {
        self.raw(field << 3);
        self.raw(value);
        self
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.raw(field << 3 | 2);
        self.raw(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: u64, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    fn raw(&mut self, mut value: u64) {
        while value > 127 {
            self.0.push(value as u8 | 128);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// A graph with one input `x` of float32 numbers.
pub(crate) struct Graph(Message);

impl Graph {
    pub(crate) fn new(input: &[usize]) -> Self {
        let graph = Message::default().text(2, "test");
        Self(graph.message(11, &value("x", input)))
    }

    /// A constant of float32 numbers.
    pub(crate) fn constant(self, name: &str, shape: &[usize], numbers: &[f32]) -> Self {
        let data: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        self.tensor(name, 1, shape, &data)
    }

    /// A constant list of int64 numbers.
    pub(crate) fn integers(self, name: &str, numbers: &[i64]) -> Self {
        let data: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        self.tensor(name, 7, &[numbers.len()], &data)
    }

    fn tensor(self, name: &str, kind: u64, shape: &[usize], data: &[u8]) -> Self {
        let dims = shape
            .iter()
            .fold(Message::default(), |m, d| m.varint(1, *d as u64));
        Self(
            self.0
                .message(5, &dims.varint(2, kind).text(8, name).bytes(9, data)),
        )
    }

    /// A node; `lists` are attributes of several integers.
    pub(crate) fn node(
        self,
        kind: &str,
        inputs: &[&str],
        output: &str,
        lists: &[(&str, &[u64])],
    ) -> Self {
        let node = inputs
            .iter()
            .fold(Message::default(), |m, name| m.text(1, name));
        let node = node.text(2, output).text(3, output).text(4, kind);
        let node = lists.iter().fold(node, |node, (name, numbers)| {
            let list = Message::default().text(1, name);
            let list = numbers.iter().fold(list, |m, n| m.varint(8, *n));
            node.message(5, &list.varint(20, 7))
        });
        Self(self.0.message(1, &node))
    }

    pub(crate) fn output(self, name: &str, shape: &[usize]) -> Self {
        Self(self.0.message(12, &value(name, shape)))
    }

    /// The bytes of the file.
    pub(crate) fn file(self) -> Vec<u8> {
        let operators = Message::default().text(1, "").varint(2, 13);
        Message::default()
            .varint(1, 8)
            .message(7, &self.0)
            .message(8, &operators)
            .0
    }
}

fn value(name: &str, shape: &[usize]) -> Message {
    let dims = shape.iter().fold(Message::default(), |m, d| {
        m.message(1, &Message::default().varint(1, *d as u64))
    });
    let tensor = Message::default().varint(1, 1).message(2, &dims);
    Message::default()
        .text(1, name)
        .message(2, &Message::default().message(1, &tensor))
}
