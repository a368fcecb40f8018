// What window attention and its gradient are made of: the orders in which products take tokens, and products of twelve
// rows.

#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "bias.h"
#include "tensors.h"
#include "vectors.h"

namespace zoomvqa {

constexpr int64_t kParts = 4;  // that are worked on at a time

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

// Keys of a part and head as the right side of a product with rows: unit k of sixteen tokens beside each other.
template <class E, int64_t Width>
void pack_across(Unit* to, const typename E::Number* from, int64_t stride, int64_t tokens, int64_t padded) {
  for (int64_t n = 0; n < padded; ++n)
    for (int64_t k = 0; k < Width / E::kPer; ++k) {
      const auto* at = from + n * stride + k * E::kPer;
      to[k * padded + n] = n < tokens ? E::unit(at, at + E::kPer - 1) : 0;
    }
}

// Values of a part and head as the right side of a product with weights: units of neighbouring tokens.
template <class E, int64_t Width>
void pack_down(Unit* to, const typename E::Number* from, int64_t stride, int64_t tokens, int64_t padded) {
  static constexpr typename E::Number kNothing[Width] = {};
  for (int64_t n = 0; n < padded; n += E::kPer) {
    const auto* one = n < tokens ? from + n * stride : kNothing;
    const auto* other = n + E::kPer - 1 < tokens ? one + (E::kPer - 1) * stride : kNothing;
    for (int64_t c = 0; c < Width; ++c) to[n / E::kPer * Width + c] = E::unit(one + c, other + c);
  }
}

// Room for some packings of some parts and every head: of so few that they stay in the second cache.
template <class E, int64_t Width>
struct Packings {
  using Number = typename E::Number;
  const Group<E>& group;
  int64_t size;
  at::Tensor held;

  Packings(const Group<E>& group, int64_t kinds)
      : group(group), size(group.padded * (Width / E::kPer)),
        held(at::empty({kinds * kParts * group.heads * size}, at::kInt)) {}

  Unit* at(int64_t kind, int64_t part, int64_t head) const {
    return held.data_ptr<Unit>() + ((kind * kParts + part % kParts) * group.heads + head) * size;
  }

  void across(int64_t kind, const Tokens<const Number, Width>& from, int64_t part, int64_t head) const {
    pack_across<E, Width>(at(kind, part, head), from.at(part, head, 0), from.stride, group.tokens, group.padded);
  }

  void down(int64_t kind, const Tokens<const Number, Width>& from, int64_t part, int64_t head) const {
    pack_down<E, Width>(at(kind, part, head), from.at(part, head, 0), from.stride, group.tokens, group.padded);
  }
};

// Room of one core for twelve rows.
template <class E, int64_t Width>
struct Room {
  using Number = typename E::Number;
  at::Tensor held;
  float *bias, *scores, *sums;  // a row has a number for each of a part's tokens, padded
  Number *weights, *others, *spare;
  Unit* rows;

  explicit Room(int64_t padded) : held(at::empty({kRows * (5 * padded + Width) + 2 * (padded + kLanes)}, at::kFloat)) {
    float* next = held.data_ptr<float>();
    for (float** each : {&bias, &scores, &sums}) *each = std::exchange(next, next + kRows * padded);
    for (Number** each : {&weights, &others})
      *each = reinterpret_cast<Number*>(std::exchange(next, next + kRows * padded));
    rows = reinterpret_cast<Unit*>(std::exchange(next, next + kRows * Width));
    spare = reinterpret_cast<Number*>(next);
  }

  // Take twelve tokens; beyond `count` they repeat the last.
  void take(const Tokens<const Number, Width>& from, int64_t part, int64_t head, int64_t token, int64_t count) const {
    for (int64_t r = 0; r < kRows; ++r)
      std::memcpy(rows + r * (Width / E::kPer), from.at(part, head, token + std::min(r, count - 1)),
                  Width * sizeof(Number));
  }
};

// Products of the twelve rows that were taken with all tokens of a part. Each vector of them is given to
// `use(row, token, place, product)`; its place is where it stands in a row of room after row.
template <class E, int64_t Width, int R, int C, class Use>
inline void tile(const Room<E, Width>& room, const Unit* across, int64_t padded, int64_t row, int64_t token, Use& use) {
  constexpr int64_t kSteps = Width / E::kPer;
  Floats sum[R][C];
  multiply<E>(room.rows + row * kSteps, kSteps, across + token, padded, kSteps, sum);
#pragma GCC unroll 12  // here, too, for the same
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) use(row + r, token + c * kLanes, (row + r) * padded + token + c * kLanes, sum[r][c]);
}

template <class E, int64_t Width, class Use>
void products(const Room<E, Width>& room, const Unit* across, int64_t padded, Use use) {
  int64_t token = 0;
  for (; token + 4 * kLanes <= padded; token += 4 * kLanes)
    for (int64_t row = 0; row < kRows; row += 6) tile<E, Width, 6, 4>(room, across, padded, row, token, use);
  for (; token < padded; token += kLanes) tile<E, Width, kRows, 1>(room, across, padded, 0, token, use);
}

// Weighted sums of all tokens of a part for twelve rows of weights, times a factor for each row.
template <class E, int64_t Width>
void mix(const typename E::Number* weights, const Unit* down, int64_t padded, const float (&factors)[kRows],
         const Tokens<typename E::Number, Width>& to, int64_t part, int64_t head, int64_t token, int64_t count) {
  constexpr int64_t kVectors = Width / kLanes;
  Floats mixed[kRows][kVectors];
  multiply<E>(reinterpret_cast<const Unit*>(weights), padded / E::kPer, down, Width, padded / E::kPer, mixed);
#pragma GCC unroll 12
  for (int64_t r = 0; r < kRows; ++r)
    if (r < count)
      for (int64_t c = 0; c < kVectors; ++c)
        E::narrow(to.at(part, head, token + r) + c * kLanes, mixed[r][c] * factors[r]);
}

// Powers 2^(scores - top) of one row are given to `use(place, power)`; 2^top is the largest. Returns their sum and top.
template <class E, class Use>
inline std::pair<float, float> powers(const float* scores, int64_t padded, Use use) {
  Floats most = load<Floats>(scores);
  for (int64_t j = kLanes; j < padded; j += kLanes) most = larger(most, load<Floats>(scores + j));
  const float top = largest(most) * kLog2E;
  Floats sum{};
  for (int64_t j = 0; j < padded; j += kLanes) {
    const Floats power = power_of_two<E>(load<Floats>(scores + j) * kLog2E - top);
    sum += power;
    use(j, power);
  }
  return {total(sum), top};
}

// Do `work(part, head)` for every head of some parts.
template <class E, class Work>
void for_all_heads(const Group<E>& group, int64_t first, int64_t last, Work work) {
  at::parallel_for(first * group.heads, last * group.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; ++at) work(at / group.heads, at % group.heads);
  });
}

// Do `work(room, head, row, count)` for every twelve rows of every head.
template <class E, int64_t Width, class Work>
void for_all_rows(const Group<E>& group, Work work) {
  const int64_t blocks = (group.tokens + kRows - 1) / kRows;
  at::parallel_for(0, group.heads * blocks, 1, [&](int64_t begin, int64_t end) {
    const Room<E, Width> room(group.padded);
    for (int64_t at = begin; at < end; ++at) {
      const int64_t head = at / blocks, row = at % blocks * kRows;
      group.fill(room.bias, room.spare, head, row);
      work(room, head, row, std::min(kRows, group.tokens - row));
    }
  });
}

}  // namespace zoomvqa
