// Window attention with a gated bias, a few rows of weights at a time: products, bias, softmax and weighted values of
// twelve tokens stay in the first caches of a core.

#include <torch/library.h>

#include "windows.h"

namespace zoomvqa {
namespace {

// Parts of a group, one behind the other from a place on.
template <class E, int64_t Width>
void attend(at::Tensor& out, const at::Tensor& qkv, const Group<E>& group, int64_t place, int64_t parts) {
  using Number = typename E::Number;
  enum { kKeys, kValues, kKinds };
  const int64_t padded = group.padded, tokens = group.tokens;
  const auto query = third<const Number, Width>(qkv, 0, place, tokens);
  const auto key = third<const Number, Width>(qkv, 1, place, tokens);
  const auto value = third<const Number, Width>(qkv, 2, place, tokens);
  const auto to = whole<Number, Width>(out, group.heads * Width, place, tokens);
  const Packings<E, Width> packed(group, kKinds);
  for (int64_t first = 0; first < parts; first += kParts) {
    const int64_t last = std::min(first + kParts, parts);
    for_all_heads(group, first, last, [&](int64_t part, int64_t head) {
      packed.across(kKeys, key, part, head);
      packed.down(kValues, value, part, head);
    });
    for_all_rows<E, Width>(group, [&](const Room<E, Width>& room, int64_t head, int64_t row, int64_t count) {
      for (int64_t part = first; part < last; ++part) {
        room.take(query, part, head, row, count);
        products<E, Width>(room, packed.at(kKeys, part, head), padded,
                           [&](int64_t, int64_t, int64_t at, const Floats& product) {
                             store(room.scores + at, product * group.scale + load<Floats>(room.bias + at));
                           });
        float shares[kRows];
        for (int64_t r = 0; r < kRows; ++r) {
          Number* weights = room.weights + r * padded;
          const auto narrow = [&](int64_t j, const Floats& power) { E::narrow(weights + j, power); };
          shares[r] = 1.0f / powers<E>(room.scores + r * padded, padded, narrow).first;
        }
        mix<E, Width>(room.weights, packed.at(kValues, part, head), padded, shares, to, part, head, row, count);
      }
    });
  }
}

// out: (batch, places, heads, width); qkv: (batch, places, 3, heads, width), a width of 16 or 32; start, rise: (heads,
// d, h, w, d, h, w) for a window of (d, h, w), all of one dtype, bfloat16 or float32. Of each group: its gate, (N, N)
// uint8; where its parts of N tokens begin; how many they are; and their size, three numbers. A part has the bias of a
// corner of the window as large as it. out = softmax(scale * q k^T + start + gate * rise) v, per part and head.
void window_attention(at::Tensor& out, const at::Tensor& qkv, const at::Tensor& start,
                      const std::optional<at::Tensor>& rise, at::TensorList gates, at::IntArrayRef places,
                      at::IntArrayRef parts, at::IntArrayRef sizes, double scale) {
  TORCH_CHECK(places.size() == gates.size() && parts.size() == gates.size() && sizes.size() == 3 * gates.size());
  check_like(out, qkv);
  for (size_t n = 0; n < gates.size(); ++n) {
    const auto size = sizes.slice(3 * n, 3);
    check(qkv, start, rise, gates[n], size);
    TORCH_CHECK(places[n] >= 0 && parts[n] >= 0 && places[n] + parts[n] * size[0] * size[1] * size[2] <= qkv.size(1));
    by_kind(qkv, [&](auto kind, auto width) {
      const Group<decltype(kind)> group(start, rise, gates[n], size, scale);
      for (int64_t clip = 0; clip < qkv.size(0); ++clip)
        attend<decltype(kind), width>(out, qkv, group, clip * qkv.size(1) + places[n], parts[n]);
    });
  }
}

}  // namespace
}  // namespace zoomvqa

TORCH_LIBRARY_FRAGMENT(zoomvqa, library) {
  library.def("window_attention(Tensor(a!) out, Tensor qkv, Tensor start, Tensor? rise, Tensor[] gates, int[] places, "
              "int[] parts, int[] sizes, float scale) -> ()");
}

TORCH_LIBRARY_IMPL(zoomvqa, CPU, library) { library.impl("window_attention", zoomvqa::window_attention); }
