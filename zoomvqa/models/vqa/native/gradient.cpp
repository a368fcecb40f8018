// The gradient of window attention, without its weights, which are computed again. With P the weights, G the gradient
// from above and O the result: dV = P^T G; dP = G V^T; dS = P (dP - rowsum(G O)), which is also the gradient of the
// bias; dQ = scale dS K; dK = scale dS^T Q. First twelve queries at a time against all keys, then twelve keys at a time
// against all queries: no two cores write to one place, and sums do not depend on how many there are.

#include <torch/library.h>

#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

#include "windows.h"

namespace zoomvqa {
namespace {

template <class E, int64_t Width>
struct Gradient {
  using Number = typename E::Number;
  using Given = Tokens<const Number, Width>;
  using Wanted = Tokens<Number, Width>;
  enum { kQueryAcross, kQueryDown, kKeyAcross, kKeyDown, kValueAcross, kAboveAcross, kAboveDown, kKinds };

  const Group<E>& group;
  Given query, key, value, above, result;
  Wanted to_query, to_key, to_value;
  float* to_bias;  // (heads, N, N)
  Packings<E, Width> packed;
  // For each query the logarithm to base 2 of the sum of its powers, and rowsum(G O): (kParts, heads, padded).
  at::Tensor logs, means;

  Gradient(const Group<E>& group, at::Tensor& grad_qkv, at::Tensor& grad_bias, const at::Tensor& from,
           const at::Tensor& mixed, const at::Tensor& qkv)
      : group(group), query(third<const Number, Width>(qkv, 0, 0, group.tokens)),
        key(third<const Number, Width>(qkv, 1, 0, group.tokens)),
        value(third<const Number, Width>(qkv, 2, 0, group.tokens)),
        above(whole<const Number, Width>(from, group.heads * Width, 0, group.tokens)),
        result(whole<const Number, Width>(mixed, group.heads * Width, 0, group.tokens)),
        to_query(third<Number, Width>(grad_qkv, 0, 0, group.tokens)),
        to_key(third<Number, Width>(grad_qkv, 1, 0, group.tokens)),
        to_value(third<Number, Width>(grad_qkv, 2, 0, group.tokens)),
        to_bias(grad_bias.mutable_data_ptr<float>()), packed(group, kKinds),
        logs(at::zeros({kParts, group.heads, group.padded}, at::kFloat)), means(at::zeros_like(logs)) {}

  float* of(const at::Tensor& each, int64_t part, int64_t head) const {
    return each.data_ptr<float>() + (part % kParts * group.heads + head) * group.padded;
  }

  void pack(int64_t part, int64_t head) const {
    packed.across(kQueryAcross, query, part, head);
    packed.down(kQueryDown, query, part, head);
    packed.across(kKeyAcross, key, part, head);
    packed.down(kKeyDown, key, part, head);
    packed.across(kValueAcross, value, part, head);
    packed.across(kAboveAcross, above, part, head);
    packed.down(kAboveDown, above, part, head);
  }

  static float product(const Number* one, const Number* other) {
    float sum = 0;
    for (int64_t c = 0; c < Width; ++c) sum += E::widen(one[c]) * E::widen(other[c]);
    return sum;
  }

  // The gradients of twelve queries and, added to `room.sums`, of their biases; keeps what `keys` needs.
  void queries(const Room<E, Width>& room, int64_t part, int64_t head, int64_t row, int64_t count) const {
    const int64_t padded = group.padded;
    room.take(query, part, head, row, count);
    products<E, Width>(room, packed.at(kKeyAcross, part, head), padded,
                       [&](int64_t, int64_t, int64_t at, const Floats& product) {
                         store(room.scores + at, product * group.scale + load<Floats>(room.bias + at));
                       });
    float shares[kRows], middles[kRows], scales[kRows];
    for (int64_t r = 0; r < kRows; ++r) {
      float* scores = room.scores + r * padded;
      const auto keep = [&](int64_t j, const Floats& power) { store(scores + j, power); };
      const auto [sum, top] = powers<E>(scores, padded, keep);
      const int64_t token = row + std::min(r, count - 1);
      of(logs, part, head)[token] = top + std::log2(sum);
      of(means, part, head)[token] = middles[r] = product(above.at(part, head, token), result.at(part, head, token));
      shares[r] = r < count ? 1.0f / sum : 0.0f;  // rows that repeat the last add nothing
      scales[r] = group.scale;
    }
    room.take(above, part, head, row, count);
    products<E, Width>(room, packed.at(kValueAcross, part, head), padded,
                       [&](int64_t r, int64_t, int64_t at, const Floats& product) {
                         const Floats slope = load<Floats>(room.scores + at) * shares[r] * (product - middles[r]);
                         store(room.sums + at, load<Floats>(room.sums + at) + slope);
                         E::narrow(room.weights + at, slope);
                       });
    mix<E, Width>(room.weights, packed.at(kKeyDown, part, head), padded, scales, to_query, part, head, row, count);
  }

  // The gradients of twelve keys and values; the bias in `room` is that of keys against queries.
  void keys(const Room<E, Width>& room, int64_t part, int64_t head, int64_t row, int64_t count) const {
    const int64_t padded = group.padded;
    const float *log = of(logs, part, head), *mean = of(means, part, head);
    room.take(key, part, head, row, count);
    products<E, Width>(room, packed.at(kQueryAcross, part, head), padded,
                       [&](int64_t, int64_t token, int64_t at, const Floats& product) {
                         const Floats score = product * group.scale + load<Floats>(room.bias + at);
                         const Floats weight = power_of_two<E>(score * kLog2E - load<Floats>(log + token));
                         store(room.scores + at, weight);
                         E::narrow(room.weights + at, weight);
                       });
    room.take(value, part, head, row, count);
    products<E, Width>(room, packed.at(kAboveAcross, part, head), padded,
                       [&](int64_t, int64_t token, int64_t at, const Floats& product) {
                         const Floats moved = product - load<Floats>(mean + token);
                         E::narrow(room.others + at, load<Floats>(room.scores + at) * moved);
                       });
    float scales[kRows], ones[kRows];
    std::fill_n(scales, kRows, group.scale);
    std::fill_n(ones, kRows, 1.0f);
    mix<E, Width>(room.weights, packed.at(kAboveDown, part, head), padded, ones, to_value, part, head, row, count);
    mix<E, Width>(room.others, packed.at(kQueryDown, part, head), padded, scales, to_key, part, head, row, count);
  }

  // Twelve rows of the gradient of the bias, which those of some parts are added to.
  void add(const Room<E, Width>& room, int64_t head, int64_t row, int64_t count) const {
    for (int64_t r = 0; r < count; ++r) {
      float* to = to_bias + (head * group.tokens + row + r) * group.tokens;
      for (int64_t j = 0; j < group.tokens; ++j) to[j] += room.sums[r * group.padded + j];
    }
  }

  // `turned` has the biases of keys against queries.
  void find(const Group<E>& turned, int64_t parts) const {
    for (int64_t first = 0; first < parts; first += kParts) {
      const int64_t last = std::min(first + kParts, parts);
      for_all_heads(group, first, last, [&](int64_t part, int64_t head) { pack(part, head); });
      for_all_rows<E, Width>(group, [&](const Room<E, Width>& room, int64_t head, int64_t row, int64_t count) {
        std::fill_n(room.sums, kRows * group.padded, 0.0f);
        for (int64_t part = first; part < last; ++part) queries(room, part, head, row, count);
        add(room, head, row, count);
      });
      for_all_rows<E, Width>(turned, [&](const Room<E, Width>& room, int64_t head, int64_t row, int64_t count) {
        for (int64_t part = first; part < last; ++part) keys(room, part, head, row, count);
      });
    }
  }
};

// The gradients of `window_attention` for `above`, that of its result `mixed`: grad_qkv as qkv; to grad_bias, (heads,
// N, N) float32, it is added. start_turned, rise_turned: the tables with their last three axes before the three in the
// middle. The gate is symmetric.
void window_attention_gradient(at::Tensor& grad_qkv, at::Tensor& grad_bias, const at::Tensor& above,
                               const at::Tensor& mixed, const at::Tensor& qkv, const at::Tensor& start,
                               const std::optional<at::Tensor>& rise, const at::Tensor& start_turned,
                               const std::optional<at::Tensor>& rise_turned, const at::Tensor& gate,
                               at::IntArrayRef size, double scale) {
  check(qkv, start, rise, gate, size);
  check(qkv, start_turned, rise_turned, gate, size);
  TORCH_CHECK(size[0] * size[1] * size[2] == qkv.size(1));
  check_like(above, qkv);
  check_like(mixed, qkv);
  TORCH_CHECK(start_turned.sizes() == start.sizes() && rise_turned.has_value() == rise.has_value());
  TORCH_CHECK(grad_qkv.scalar_type() == qkv.scalar_type() && grad_qkv.is_contiguous());
  TORCH_CHECK(grad_qkv.sizes() == qkv.sizes());
  TORCH_CHECK(grad_bias.scalar_type() == at::kFloat && grad_bias.is_contiguous());
  TORCH_CHECK(grad_bias.numel() == qkv.size(3) * qkv.size(1) * qkv.size(1));
  by_kind(qkv, [&](auto kind, auto width) {
    using E = decltype(kind);
    const Group<E> group(start, rise, gate, size, scale), turned(start_turned, rise_turned, gate, size, scale);
    Gradient<E, width>(group, grad_qkv, grad_bias, above, mixed, qkv).find(turned, qkv.size(0));
  });
}

}  // namespace
}  // namespace zoomvqa

TORCH_LIBRARY_FRAGMENT(zoomvqa, library) {
  library.def("window_attention_gradient(Tensor(a!) grad_qkv, Tensor(b!) grad_bias, Tensor above, Tensor mixed, "
              "Tensor qkv, Tensor start, Tensor? rise, Tensor start_turned, Tensor? rise_turned, Tensor gate, "
              "int[] size, float scale) -> ()");
}

TORCH_LIBRARY_IMPL(zoomvqa, CPU, library) {
  library.impl("window_attention_gradient", zoomvqa::window_attention_gradient);
}
