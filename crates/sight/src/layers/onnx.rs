//! The bytes of an ONNX file, as far as the layers need them: protobuf's wire format, field numbers of `onnx.proto`.

use super::Unknown;

/// A graph as it lies in the file.
#[derive(Debug, Default)]
pub(super) struct File {
    pub nodes: Vec<Operator>,
    pub constants: Vec<Tensor>,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
}

/// `NodeProto`.
#[derive(Debug, Default)]
pub(super) struct Operator {
    pub name: String,
    pub domain: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: Vec<(String, Attribute)>,
}

/// What an operator is told: a number, or a list of them.
#[derive(Debug, Default, Clone)]
pub(super) struct Attribute {
    pub i: i64,
    pub f: f32,
    pub ints: Vec<i64>,
}

/// `TensorProto`.
#[derive(Debug, Default)]
pub(super) struct Tensor {
    pub name: String,
    pub dims: Vec<i64>,
    pub kind: i64,
    pub floats: Vec<f32>,
    pub integers: Vec<i64>,
    pub raw: Vec<u8>,
}

impl File {
    /// Reads a `ModelProto`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Unknown> {
        let mut graph = None;
        for field in Fields(bytes) {
            if let (7, value) = field? {
                graph = Some(value.bytes()?);
            }
        }
        let mut file = Self::default();
        for field in Fields(graph.ok_or("no graph")?) {
            match field? {
                (1, node) => file.nodes.push(Operator::read(node.bytes()?)?),
                (5, tensor) => file.constants.push(Tensor::read(tensor.bytes()?)?),
                (11, value) => file.inputs.push(name_of(value.bytes()?)?),
                (12, value) => file.outputs.push(name_of(value.bytes()?)?),
                _ => {}
            }
        }
        Ok(file)
    }
}

/// The name in a `ValueInfoProto`.
fn name_of(bytes: &[u8]) -> Result<String, Unknown> {
    let mut name = String::new();
    for field in Fields(bytes) {
        if let (1, value) = field? {
            name = value.text()?;
        }
    }
    Ok(name)
}

impl Operator {
    fn read(bytes: &[u8]) -> Result<Self, Unknown> {
        let mut node = Self::default();
        for field in Fields(bytes) {
            match field? {
                (1, value) => node.inputs.push(value.text()?),
                (2, value) => node.outputs.push(value.text()?),
                (4, value) => node.name = value.text()?,
                (5, value) => node.attributes.push(Attribute::read(value.bytes()?)?),
                (7, value) => node.domain = value.text()?,
                _ => {}
            }
        }
        Ok(node)
    }
}

impl Attribute {
    fn read(bytes: &[u8]) -> Result<(String, Self), Unknown> {
        let (mut name, mut attribute) = (String::new(), Self::default());
        for field in Fields(bytes) {
            match field? {
                (1, value) => name = value.text()?,
                (2, value) => attribute.f = value.float()?,
                (3, value) => attribute.i = value.integer()?,
                (8, value) => value.integers(&mut attribute.ints)?,
                _ => {}
            }
        }
        Ok((name, attribute))
    }
}

impl Tensor {
    fn read(bytes: &[u8]) -> Result<Self, Unknown> {
        let mut tensor = Self::default();
        for field in Fields(bytes) {
            match field? {
                (1, value) => value.integers(&mut tensor.dims)?,
                (2, value) => tensor.kind = value.integer()?,
                (4, value) => value.floats(&mut tensor.floats)?,
                (7, value) => value.integers(&mut tensor.integers)?,
                (8, value) => tensor.name = value.text()?,
                (9, value) => tensor.raw = value.bytes()?.to_vec(),
                _ => {}
            }
        }
        Ok(tensor)
    }
}

/// What a field holds.
enum Value<'a> {
    Number(u64),
    Four([u8; 4]),
    Eight,
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    fn bytes(self) -> Result<&'a [u8], Unknown> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(broken()),
        }
    }

    fn text(self) -> Result<String, Unknown> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| broken())
    }

    fn integer(self) -> Result<i64, Unknown> {
        match self {
            Self::Number(number) => Ok(number.cast_signed()),
            _ => Err(broken()),
        }
    }

    fn float(self) -> Result<f32, Unknown> {
        match self {
            Self::Four(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err(broken()),
        }
    }

    /// One number of a list, or many at once.
    fn integers(self, list: &mut Vec<i64>) -> Result<(), Unknown> {
        let Self::Bytes(mut rest) = self else {
            list.push(self.integer()?);
            return Ok(());
        };
        while !rest.is_empty() {
            list.push(varint(&mut rest)?.cast_signed());
        }
        Ok(())
    }

    fn floats(self, list: &mut Vec<f32>) -> Result<(), Unknown> {
        let Self::Bytes(bytes) = self else {
            list.push(self.float()?);
            return Ok(());
        };
        let (numbers, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(broken());
        }
        list.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        Ok(())
    }
}

/// The fields of a message, one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Unknown>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.0.is_empty()).then(|| {
            let field = self.field();
            if field.is_err() {
                self.0 = &[];
            }
            field
        })
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<(u64, Value<'a>), Unknown> {
        let tag = varint(&mut self.0)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut self.0)?),
            1 => {
                self.take(8)?;
                Value::Eight
            }
            2 => {
                let length = usize::try_from(varint(&mut self.0)?).map_err(|_| broken())?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Four(self.take(4)?.try_into().map_err(|_| broken())?),
            _ => return Err(broken()),
        };
        Ok((tag >> 3, value))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Unknown> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(broken)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// Seven bits a byte, the lowest first; the last has no eighth.
fn varint(bytes: &mut &[u8]) -> Result<u64, Unknown> {
    let mut number = 0;
    for place in 0..10 {
        let (byte, rest) = bytes.split_first().ok_or_else(broken)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(broken())
}

fn broken() -> Unknown {
    "no ONNX file".into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_read_one_by_one_or_at_once() {
        let one_by_one = [0x40, 3, 0x40, 0xac, 0x02];
        let at_once = [0x42, 3, 3, 0xac, 0x02];
        for bytes in [&one_by_one[..], &at_once] {
            let (_, attribute) = Attribute::read(bytes).unwrap();
            assert_eq!(attribute.ints, [3, 300]);
        }
        let minus_one = [&[0x18][..], &[0xff; 9], &[1]].concat();
        assert_eq!(Attribute::read(&minus_one).unwrap().1.i, -1);
    }

    #[test]
    fn a_file_without_a_graph_and_one_that_ends_early_are_refused() {
        assert!(File::read(b"").is_err());
        assert!(File::read(&[0x3a, 5, 0x0a]).is_err());
        assert!(File::read(&[0x3a, 2, 0x0a, 0]).unwrap().nodes.len() == 1);
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_graph_or_a_refusal(bytes: Vec<u8>) {
            let _ = File::read(&bytes);
            let _ = File::read(&[&[0x3a, bytes.len() as u8 & 0x7f][..], &bytes].concat());
        }
    }
}
