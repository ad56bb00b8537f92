//! Given tokens of some texts, gives a vector for each: a BERT encoder.
//!
//! Texts are laid one after the other, without padding: linear layers see one long matrix, and attention sees each text by
//! itself. So no mask is needed, and short texts cost what they are.

use domain::Result;
use ndarray::{ArrayView2, ArrayViewMut2, Axis, Slice, linalg::general_mat_mul};

use super::{
    description::{Description, Pooling},
    kernels::{add_bias, add_bias_gelu, layer_norm, softmax},
    weights::Weights,
};

pub struct Encoder {
    hidden: usize,
    heads: usize,
    intermediate: usize,
    eps: f32,
    pooling: Pooling,
    /// A row for each token of the vocabulary.
    words: Vec<f32>,
    /// A row for each place, with that of the only type of token added.
    places: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    /// Queries, keys and values in one.
    attention: Linear,
    attended: Linear,
    attended_norm: Norm,
    wide: Linear,
    narrow: Linear,
    norm: Norm,
}

/// A row for each number that comes out.
struct Linear {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Encoder {
    pub fn read(weights: &mut Weights, description: &Description) -> Result<Self> {
        let hidden = description.hidden;
        let words = weights.tensor("embeddings.word_embeddings.weight", &[description.vocabulary, hidden])?;
        let mut places = weights.tensor(
            "embeddings.position_embeddings.weight",
            &[description.positions, hidden],
        )?;
        let types = weights.tensor("embeddings.token_type_embeddings.weight", &[description.types, hidden])?;
        places.truncate(description.tokens_max * hidden);
        add_bias(&mut places, &types[..hidden]);
        let norm = Norm::read(weights, "embeddings.LayerNorm", hidden)?;
        let layers = (0..description.layers)
            .map(|layer| Layer::read(weights, &format!("encoder.layer.{layer}"), description))
            .collect::<Result<_>>()?;
        Ok(Self {
            hidden,
            heads: description.heads,
            intermediate: description.intermediate,
            eps: description.layer_norm_eps,
            pooling: description.pooling,
            words,
            places,
            norm,
            layers,
        })
    }

    /// A vector for each text. A text has at least one token and at most as many as the model reads.
    pub fn vectors(&self, texts: &[Vec<u32>]) -> Vec<Vec<f32>> {
        let rows: usize = texts.iter().map(Vec::len).sum();
        let mut state = Vec::with_capacity(rows * self.hidden);
        for text in texts {
            for (token, place) in text.iter().zip(self.places.chunks_exact(self.hidden)) {
                let from = *token as usize * self.hidden;
                let word = &self.words[from..from + self.hidden];
                state.extend(word.iter().zip(place).map(|(word, place)| word + place));
            }
        }
        self.norm.apply(&mut state, self.eps);
        let mut room = Room {
            attention: vec![0.0; rows * 3 * self.hidden],
            context: vec![0.0; rows * self.hidden],
            out: vec![0.0; rows * self.hidden],
            wide: vec![0.0; rows * self.intermediate],
            shares: Vec::new(),
        };
        for layer in &self.layers {
            self.layer(layer, &mut state, &mut room, texts);
        }
        let mut begin = 0;
        texts
            .iter()
            .map(|text| {
                let own = &state[begin * self.hidden..(begin + text.len()) * self.hidden];
                begin += text.len();
                self.pooled(own)
            })
            .collect()
    }

    fn layer(&self, layer: &Layer, state: &mut [f32], room: &mut Room, texts: &[Vec<u32>]) {
        layer.attention.product(state, &mut room.attention);
        add_bias(&mut room.attention, &layer.attention.bias);
        self.attend(room, texts);
        layer.attended.product(&room.context, &mut room.out);
        add_bias(&mut room.out, &layer.attended.bias);
        add(state, &room.out);
        layer.attended_norm.apply(state, self.eps);
        layer.wide.product(state, &mut room.wide);
        add_bias_gelu(&mut room.wide, &layer.wide.bias);
        layer.narrow.product(&room.wide, &mut room.out);
        add_bias(&mut room.out, &layer.narrow.bias);
        add(state, &room.out);
        layer.norm.apply(state, self.eps);
    }

    /// Each text's tokens look at each other, head by head.
    fn attend(&self, room: &mut Room, texts: &[Vec<u32>]) {
        let size = self.hidden / self.heads;
        let scale = 1.0 / (size as f32).sqrt();
        let rows: usize = texts.iter().map(Vec::len).sum();
        let all = view(&room.attention, rows, 3 * self.hidden);
        let mut context = view_mut(&mut room.context, rows, self.hidden);
        let mut begin = 0;
        for text in texts {
            let end = begin + text.len();
            for head in 0..self.heads {
                let part = |which: usize| {
                    let from = which * self.hidden + head * size;
                    let mut rows = all;
                    rows.slice_axis_inplace(Axis(0), Slice::from(begin..end));
                    rows.slice_axis_inplace(Axis(1), Slice::from(from..from + size));
                    rows
                };
                let (query, key, value) = (part(0), part(1), part(2));
                room.shares.resize(text.len() * text.len(), 0.0);
                let mut shares = view_mut(&mut room.shares, text.len(), text.len());
                general_mat_mul(1.0, &query, &key.t(), 0.0, &mut shares);
                softmax(&mut room.shares, text.len(), scale);
                let shares = view(&room.shares, text.len(), text.len());
                let mut out = context.slice_axis_mut(Axis(0), Slice::from(begin..end));
                out.slice_axis_inplace(Axis(1), Slice::from(head * size..(head + 1) * size));
                general_mat_mul(1.0, &shares, &value, 0.0, &mut out);
            }
            begin = end;
        }
    }

    fn pooled(&self, rows: &[f32]) -> Vec<f32> {
        match self.pooling {
            Pooling::First => rows[..self.hidden].to_vec(),
            Pooling::Mean => {
                let mut sum = vec![0.0; self.hidden];
                for row in rows.chunks_exact(self.hidden) {
                    add(&mut sum, row);
                }
                // Not divided: only its direction counts.
                sum
            }
        }
    }
}

/// Room for what is between the layers, used again by each.
struct Room {
    attention: Vec<f32>,
    context: Vec<f32>,
    out: Vec<f32>,
    wide: Vec<f32>,
    shares: Vec<f32>,
}

impl Layer {
    fn read(weights: &mut Weights, place: &str, description: &Description) -> Result<Self> {
        let (hidden, wide) = (description.hidden, description.intermediate);
        let mut attention = Linear {
            weight: Vec::with_capacity(3 * hidden * hidden),
            bias: Vec::with_capacity(3 * hidden),
        };
        for part in ["query", "key", "value"] {
            let one = Linear::read(weights, &format!("{place}.attention.self.{part}"), hidden, hidden)?;
            attention.weight.extend(one.weight);
            attention.bias.extend(one.bias);
        }
        Ok(Self {
            attention,
            attended: Linear::read(weights, &format!("{place}.attention.output.dense"), hidden, hidden)?,
            attended_norm: Norm::read(weights, &format!("{place}.attention.output.LayerNorm"), hidden)?,
            wide: Linear::read(weights, &format!("{place}.intermediate.dense"), wide, hidden)?,
            narrow: Linear::read(weights, &format!("{place}.output.dense"), hidden, wide)?,
            norm: Norm::read(weights, &format!("{place}.output.LayerNorm"), hidden)?,
        })
    }
}

impl Linear {
    fn read(weights: &mut Weights, place: &str, out: usize, into: usize) -> Result<Self> {
        Ok(Self {
            weight: weights.tensor(&format!("{place}.weight"), &[out, into])?,
            bias: weights.tensor(&format!("{place}.bias"), &[out])?,
        })
    }

    /// Without the bias.
    fn product(&self, rows: &[f32], out: &mut [f32]) {
        let width = self.bias.len();
        let into = self.weight.len() / width;
        let count = rows.len() / into;
        let weight = view(&self.weight, width, into);
        general_mat_mul(
            1.0,
            &view(rows, count, into),
            &weight.t(),
            0.0,
            &mut view_mut(out, count, width),
        );
    }
}

impl Norm {
    fn read(weights: &mut Weights, place: &str, hidden: usize) -> Result<Self> {
        Ok(Self {
            weight: weights.tensor(&format!("{place}.weight"), &[hidden])?,
            bias: weights.tensor(&format!("{place}.bias"), &[hidden])?,
        })
    }

    fn apply(&self, rows: &mut [f32], eps: f32) {
        layer_norm(rows, &self.weight, &self.bias, eps);
    }
}

fn add(to: &mut [f32], what: &[f32]) {
    for (x, y) in to.iter_mut().zip(what) {
        *x += y;
    }
}

#[expect(clippy::expect_used, reason = "both sizes are ours")]
fn view(numbers: &[f32], rows: usize, width: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, width), numbers).expect("the matrix has these rows")
}

#[expect(clippy::expect_used, reason = "both sizes are ours")]
fn view_mut(numbers: &mut [f32], rows: usize, width: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((rows, width), numbers).expect("the matrix has these rows")
}
