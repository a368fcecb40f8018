// The bias of a group of windows that lie alike.

#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

#include "vectors.h"

namespace zoomvqa {

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
  int64_t run;                  // so many tokens beside each other in the part are so in the window
  std::vector<int64_t> places;  // where each such run begins in the window

  Group(const at::Tensor& first, const std::optional<at::Tensor>& second, const at::Tensor& steps,
        at::IntArrayRef size, double factor)
      : start(numbers(first)), rise(second ? numbers(*second) : nullptr), gate(steps.const_data_ptr<uint8_t>()),
        window{first.size(1), first.size(2), first.size(3)}, part{size[0], size[1], size[2]}, heads(first.size(0)),
        tokens(size[0] * size[1] * size[2]), padded((tokens + kLanes - 1) / kLanes * kLanes),
        scale(static_cast<float>(factor)) {
    run = part[2] < window[2] ? part[2] : part[1] < window[1] ? part[1] * part[2] : tokens;
    for (int64_t token = 0; token < tokens; token += run) places.push_back(place(token));
  }

  static const Number* numbers(const at::Tensor& t) { return reinterpret_cast<const Number*>(t.const_data_ptr()); }

  // Where a part's token stands in the window.
  int64_t place(int64_t token) const {
    const int64_t column = token % part[2], row = token / part[2] % part[1], time = token / (part[1] * part[2]);
    return (time * window[1] + row) * window[2] + column;
  }

  // Join the runs of a window's row in `to`, which has room for kLanes numbers more; so many may also be read
  // behind the last run.
  template <int kChunk>
  void join(Number* to, const Number* row) const {
    for (const int64_t at : places) {
      for (int64_t i = 0; i < run; i += kChunk) std::memcpy(to + i, row + at + i, kChunk * sizeof(Number));
      to += run;
    }
  }

  const Number* joined(Number* to, const Number* row, bool last) const {
    if (run == tokens) return row;
    if (last) {
      for (size_t k = 0; k < places.size(); ++k) std::copy_n(row + places[k], run, to + k * run);
    } else {
      run <= 4 ? join<4>(to, row) : run <= 8 ? join<8>(to, row) : join<kLanes>(to, row);
    }
    return to;
  }

  // Twelve rows of the bias from `row` on; beyond the tokens, columns weigh nothing and rows repeat the last.
  void fill(float* bias, Number* spare, int64_t head, int64_t row) const {
    const int64_t whole = window[0] * window[1] * window[2];
    for (int64_t r = 0; r < kRows; ++r, bias += padded) {
      const int64_t token = std::min(row + r, tokens - 1), line = head * whole + place(token);
      const bool last = (heads * whole - line - 1) * whole < kLanes;  // what is behind the row
      const Number* low = joined(spare, start + line * whole, last);
      if (rise) {
        const Number* more = joined(spare + padded + kLanes, rise + line * whole, last);
        const uint8_t* steps = gate + token * tokens;
#pragma GCC ivdep
        for (int64_t j = 0; j < tokens; ++j)
          bias[j] = E::widen(low[j]) + static_cast<float>(steps[j]) * E::widen(more[j]);
      } else {
#pragma GCC ivdep
        for (int64_t j = 0; j < tokens; ++j) bias[j] = E::widen(low[j]);
      }
      std::fill(bias + tokens, bias + padded, -std::numeric_limits<float>::infinity());
    }
  }
};

}  // namespace zoomvqa
