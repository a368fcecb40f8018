// Window attention with a gated bias, a few rows of weights at a time: products, bias, softmax and weighted values of
// twelve tokens stay in the first caches of a core.

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

#include "vectors.h"

namespace zoomvqa {
namespace {

constexpr int64_t kRows = 12;

// sum[r][c] = rows of `left` times columns of `right`, c vectors wide; steps in units.
template <class E, int R, int C>
inline void multiply(const Unit* left, int64_t left_stride, const Unit* right, int64_t right_stride, int64_t steps,
                     Floats (&sum)[R][C]) {
#pragma GCC unroll 12  // else the sums are not kept in registers
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) sum[r][c] = Floats{};
  for (int64_t k = 0; k < steps; ++k) {
    Ints across[C];
    for (int c = 0; c < C; ++c) across[c] = load<Ints>(right + k * right_stride + c * kLanes);
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
      const Ints down = spread(left[r * left_stride + k]);
      for (int c = 0; c < C; ++c) sum[r][c] = E::add_product(sum[r][c], down, across[c]);
    }
  }
}

// 2^x for x <= 0; below 2^-126 it is 2^-126, and not a number stays so.
template <int Terms>
inline Floats power_of_two(Floats x) {
  constexpr float kRound = 12582912.0f;  // adding and taking away 1.5 * 2^23 rounds to a whole number
  constexpr float kSeries[] = {1.0f, 1.0f, 0.5f, 0.16666667f, 0.041666667f, 0.0083333333f, 0.0013888889f,
                               0.00019841270f};
  x = x < -126.0f ? Floats{} - 126.0f : x;
  const Floats moved = x + kRound;
  const Floats part = (x - (moved - kRound)) * 0.69314718f;
  Floats power = Floats{} + kSeries[Terms];
  for (int n = Terms - 1; n >= 0; --n) power = power * part + kSeries[n];
  // The low bits of `moved` are the whole number.
  return power * as<Floats>((as<Ints>(moved) + 127) << 23);
}

inline float largest(const Floats& values) {
  float most = values[0];
  for (int64_t i = 1; i < kLanes; ++i) most = values[i] > most ? values[i] : most;
  return most;
}

// What the parts of a group have in common. The bias is that of a corner of the window as large as a part: only
// distances count, so that any corner will do.
template <class E>
struct Group {
  using Number = typename E::Number;
  const Number *start, *rise;  // (heads, window, window), (time, rows, columns) each; without `rise` it is `start`
  const uint8_t* gate;         // (tokens, tokens)
  std::array<int64_t, 3> window, part;
  int64_t heads, tokens, padded;
  float scale;

  // Where a part's token stands in the window.
  int64_t place(int64_t token) const {
    const int64_t column = token % part[2], row = token / part[2] % part[1], time = token / (part[1] * part[2]);
    return (time * window[1] + row) * window[2] + column;
  }

  // Twelve rows of the bias from `row` on; beyond the tokens, columns weigh nothing and rows repeat the last.
  void fill(float* bias, int64_t head, int64_t row) const {
    const int64_t whole = window[0] * window[1] * window[2];
    // So many tokens beside each other in the part are so in the window.
    const int64_t run = part[2] < window[2] ? part[2] : part[1] < window[1] ? part[1] * part[2] : tokens;
    for (int64_t r = 0; r < kRows; ++r, bias += padded) {
      const int64_t token = std::min(row + r, tokens - 1), first = (head * whole + place(token)) * whole;
      for (int64_t j = 0; j < tokens; j += run) {
        const Number *low = start + first + place(j), *more = rise ? rise + first + place(j) : nullptr;
        const uint8_t* steps = gate + token * tokens + j;
        float* to = bias + j;
        if (rise) {
#pragma GCC ivdep
          for (int64_t i = 0; i < run; ++i) to[i] = E::widen(low[i]) + static_cast<float>(steps[i]) * E::widen(more[i]);
        } else {
#pragma GCC ivdep
          for (int64_t i = 0; i < run; ++i) to[i] = E::widen(low[i]);
        }
      }
      std::fill(bias + tokens, bias + padded, -std::numeric_limits<float>::infinity());
    }
  }
};

// Keys and values of one part and head in the order in which products take them.
template <class E, int64_t Width>
struct Packed {
  static constexpr int64_t kSteps = Width / E::kPer;
  static int64_t size(int64_t padded) { return kSteps * padded + padded / E::kPer * Width; }

  Unit *keys, *values;
  Packed(Unit* room, int64_t padded) : keys(room), values(room + kSteps * padded) {}

  // key, value: of the part's first token; `stride` numbers further is the next token's.
  void fill(const typename E::Number* key, const typename E::Number* value, int64_t stride, int64_t tokens,
            int64_t padded) {
    for (int64_t n = 0; n < padded; ++n)
      for (int64_t k = 0; k < kSteps; ++k) {
        const auto* at = key + n * stride + k * E::kPer;
        keys[k * padded + n] = n < tokens ? E::unit(at, at + E::kPer - 1) : 0;
      }
    static constexpr typename E::Number kNothing[Width] = {};
    for (int64_t n = 0; n < padded; n += E::kPer) {
      const auto* one = n < tokens ? value + n * stride : kNothing;
      const auto* other = n + E::kPer - 1 < tokens ? one + (E::kPer - 1) * stride : kNothing;
      for (int64_t c = 0; c < Width; ++c) values[n / E::kPer * Width + c] = E::unit(one + c, other + c);
    }
  }
};

// Room for twelve rows of one core.
template <int64_t Width>
struct Room {
  at::Tensor held;
  float *bias, *scores;
  Unit *weights, *queries;
  explicit Room(int64_t padded) : held(at::empty({kRows * (3 * padded + Width)}, at::kFloat)) {
    bias = held.data_ptr<float>();
    scores = bias + kRows * padded;
    weights = reinterpret_cast<Unit*>(scores + kRows * padded);
    queries = weights + kRows * padded;
  }
};

template <class E, int64_t Width, int R, int C>
inline void score(const Room<Width>& room, const Unit* keys, int64_t padded, int64_t row, int64_t column, float scale) {
  Floats sum[R][C];
  constexpr int64_t kSteps = Packed<E, Width>::kSteps;
  multiply<E>(room.queries + row * kSteps, kSteps, keys + column, padded, kSteps, sum);
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) {
      const int64_t at = (row + r) * padded + column + c * kLanes;
      store(room.scores + at, sum[r][c] * scale + load<Floats>(room.bias + at));
    }
}

// Weights of one row, unnormalised; returns their sum.
template <class E>
inline float weigh(const float* scores, typename E::Number* weights, int64_t padded) {
  constexpr float kLog2E = 1.44269504f;
  Floats most = load<Floats>(scores);
  for (int64_t j = kLanes; j < padded; j += kLanes) {
    const Floats values = load<Floats>(scores + j);
    most = values > most ? values : most;
  }
  const Floats top = Floats{} + largest(most) * kLog2E;
  Floats sum{};
  for (int64_t j = 0; j < padded; j += kLanes) {
    const Floats power = power_of_two<E::kTerms>(load<Floats>(scores + j) * kLog2E - top);
    sum += power;
    E::narrow(weights + j, power);
  }
  return total(sum);
}

// Twelve rows of one part and head: queries and `to` are of the first, `to_stride` numbers further is the next one.
template <class E, int64_t Width>
void attend_rows(const Room<Width>& room, const Packed<E, Width>& packed, const Group<E>& group, const typename E::Number* query,
                 int64_t stride, int64_t rows, typename E::Number* to, int64_t to_stride) {
  const int64_t padded = group.padded;
  for (int64_t r = 0; r < kRows; ++r)
    std::memcpy(room.queries + r * packed.kSteps, query + std::min(r, rows - 1) * stride,
                Width * sizeof(typename E::Number));
  int64_t column = 0;
  for (; column + 4 * kLanes <= padded; column += 4 * kLanes)
    for (int64_t row = 0; row < kRows; row += 6) score<E, Width, 6, 4>(room, packed.keys, padded, row, column, group.scale);
  for (; column < padded; column += kLanes)
    score<E, Width, kRows, 1>(room, packed.keys, padded, 0, column, group.scale);
  float share[kRows];
  auto* weights = reinterpret_cast<typename E::Number*>(room.weights);
  for (int64_t r = 0; r < kRows; ++r)
    share[r] = 1.0f / weigh<E>(room.scores + r * padded, weights + r * padded, padded);
  constexpr int64_t kVectors = Width / kLanes;
  Floats mixed[kRows][kVectors];
  multiply<E>(room.weights, padded / E::kPer, packed.values, Width, padded / E::kPer, mixed);
#pragma GCC unroll 12
  for (int64_t r = 0; r < kRows; ++r)
    if (r < rows)
      for (int64_t c = 0; c < kVectors; ++c) E::narrow(to + r * to_stride + c * kLanes, mixed[r][c] * share[r]);
}

template <class E, int64_t Width>
void attend(at::Tensor& out, const at::Tensor& qkv, const Group<E>& group) {
  using Number = typename E::Number;
  const int64_t heads = group.heads, tokens = group.tokens, padded = group.padded;
  const int64_t parts = qkv.size(0), stride = 3 * heads * Width;
  const auto* given = reinterpret_cast<const Number*>(qkv.const_data_ptr());
  auto* to = reinterpret_cast<Number*>(out.mutable_data_ptr());
  const int64_t size = Packed<E, Width>::size(padded);
  const at::Tensor held = at::empty({parts * heads * size}, at::kInt);
  Unit* rooms = held.data_ptr<Unit>();
  const auto packed = [&](int64_t part, int64_t head) { return Packed<E, Width>(rooms + (part * heads + head) * size, padded); };
  const auto first = [&](int64_t part, int64_t head) { return given + part * tokens * stride + head * Width; };
  at::parallel_for(0, parts * heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; ++at) {
      const Number* query = first(at / heads, at % heads);
      packed(at / heads, at % heads).fill(query + heads * Width, query + 2 * heads * Width, stride, tokens, padded);
    }
  });
  const int64_t blocks = (tokens + kRows - 1) / kRows;
  at::parallel_for(0, heads * blocks, 1, [&](int64_t begin, int64_t end) {
    const Room<Width> room(padded);
    for (int64_t at = begin; at < end; ++at) {
      const int64_t head = at / blocks, row = at % blocks * kRows, rows = std::min(kRows, tokens - row);
      group.fill(room.bias, head, row);
      for (int64_t part = 0; part < parts; ++part)
        attend_rows(room, packed(part, head), group, first(part, head) + row * stride, stride, rows,
                    to + (part * tokens + row) * heads * Width + head * Width, heads * Width);
    }
  });
}

// out: (parts, N, heads, width); qkv: (parts, N, 3, heads, width), a width of 16 or 32; start, rise: (heads, d, h, w,
// d, h, w) for a window of (d, h, w), all of one dtype, bfloat16 or float32. gate: (N, N) uint8. N tokens are a part
// of a window, `size`, and have the bias of a corner of it. out = softmax(scale * q k^T + start + gate * rise) v, per part and head.
void window_attention(at::Tensor& out, const at::Tensor& qkv, const at::Tensor& start,
                      const std::optional<at::Tensor>& rise, const at::Tensor& gate, at::IntArrayRef size, double scale) {
  const auto kind = qkv.scalar_type();
  TORCH_CHECK(kind == at::kFloat || kind == at::kBFloat16);
  const int64_t width = qkv.size(-1);
  TORCH_CHECK(qkv.dim() == 5 && qkv.size(2) == 3 && (width == 16 || width == 32) && qkv.is_contiguous());
  const int64_t tokens = qkv.size(1), heads = qkv.size(3);
  TORCH_CHECK(out.scalar_type() == kind && out.is_contiguous() && out.numel() * 3 == qkv.numel());
  TORCH_CHECK(size.size() == 3 && size[0] * size[1] * size[2] == tokens);
  for (const at::Tensor* table : {&start, rise ? &*rise : &start}) {
    TORCH_CHECK(table->scalar_type() == kind && table->is_contiguous() && table->dim() == 7 && table->size(0) == heads);
    for (int64_t axis = 0; axis < 3; ++axis)
      TORCH_CHECK(size[axis] <= table->size(axis + 1) && table->size(axis + 1) == table->size(axis + 4));
  }
  TORCH_CHECK(!rise || rise->sizes() == start.sizes());
  TORCH_CHECK(gate.scalar_type() == at::kByte && gate.is_contiguous() && gate.numel() == tokens * tokens);
  const auto work = [&](auto element) {
    using E = decltype(element);
    const auto numbers = [](const at::Tensor& t) { return reinterpret_cast<const typename E::Number*>(t.const_data_ptr()); };
    const Group<E> group{numbers(start), rise ? numbers(*rise) : nullptr, gate.const_data_ptr<uint8_t>(),
                         {start.size(1), start.size(2), start.size(3)}, {size[0], size[1], size[2]}, heads, tokens,
                         (tokens + kLanes - 1) / kLanes * kLanes, static_cast<float>(scale)};
    width == 16 ? attend<E, 16>(out, qkv, group) : attend<E, 32>(out, qkv, group);
  };
  kind == at::kFloat ? work(Single{}) : work(Half{});
}

}  // namespace
}  // namespace zoomvqa

TORCH_LIBRARY_FRAGMENT(zoomvqa, library) {
  library.def("window_attention(Tensor(a!) out, Tensor qkv, Tensor start, Tensor? rise, Tensor gate, int[] size, "
              "float scale) -> ()");
}

TORCH_LIBRARY_IMPL(zoomvqa, CPU, library) { library.impl("window_attention", zoomvqa::window_attention); }
