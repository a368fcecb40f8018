// The tensors that window attention and its gradient are given.

#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <type_traits>

#include "vectors.h"

namespace zoomvqa {

// The tokens of parts and heads in a tensor: `stride` numbers from one token of a part to the next, heads side by side.
template <class Number, int64_t Width>
struct Tokens {
  Number* first;
  int64_t stride, tokens;

  Number* at(int64_t part, int64_t head, int64_t token) const {
    return first + (part * tokens + token) * stride + head * Width;
  }
};

// Checks what both are given: numbers of one kind, (…, …, 3, heads, width), and a bias that fits.
inline void check(const at::Tensor& qkv, const at::Tensor& start, const std::optional<at::Tensor>& rise,
                  const at::Tensor& gate, at::IntArrayRef size) {
  const auto kind = qkv.scalar_type();
  TORCH_CHECK(kind == at::kFloat || kind == at::kBFloat16);
  const int64_t width = qkv.size(-1);
  TORCH_CHECK(qkv.dim() == 5 && qkv.size(2) == 3 && (width == 16 || width == 32) && qkv.is_contiguous());
  TORCH_CHECK(size.size() == 3);
  const int64_t tokens = size[0] * size[1] * size[2], heads = qkv.size(3);
  for (const at::Tensor* table : {&start, rise ? &*rise : &start}) {
    TORCH_CHECK(table->scalar_type() == kind && table->is_contiguous() && table->dim() == 7 && table->size(0) == heads);
    for (int64_t axis = 0; axis < 3; ++axis)
      TORCH_CHECK(size[axis] <= table->size(axis + 1) && table->size(axis + 1) == table->size(axis + 4));
  }
  TORCH_CHECK(!rise || rise->sizes() == start.sizes());
  TORCH_CHECK(gate.scalar_type() == at::kByte && gate.is_contiguous() && gate.numel() == tokens * tokens);
}

inline void check_like(const at::Tensor& one, const at::Tensor& qkv) {
  TORCH_CHECK(one.scalar_type() == qkv.scalar_type() && one.is_contiguous() && one.numel() * 3 == qkv.numel());
}

// Call `work` with the kind of number and the width of `qkv`.
template <class Work>
void by_kind(const at::Tensor& qkv, Work work) {
  const bool narrow = qkv.size(-1) == 16;
  const auto with = [&](auto kind) {
    narrow ? work(kind, std::integral_constant<int64_t, 16>{}) : work(kind, std::integral_constant<int64_t, 32>{});
  };
  qkv.scalar_type() == at::kFloat ? with(Single{}) : with(Half{});
}

// q, k or v, counted from 0, of parts of so many tokens that begin at a place of (…, …, 3, heads, width).
template <class Number, int64_t Width>
Tokens<Number, Width> third(const at::Tensor& qkv, int64_t which, int64_t place, int64_t tokens) {
  const int64_t across = qkv.size(3) * Width;
  auto* numbers = static_cast<Number*>(const_cast<void*>(qkv.const_data_ptr()));
  return {numbers + (3 * place + which) * across, 3 * across, tokens};
}

// The same of (…, …, heads, width).
template <class Number, int64_t Width>
Tokens<Number, Width> whole(const at::Tensor& each, int64_t across, int64_t place, int64_t tokens) {
  auto* numbers = static_cast<Number*>(const_cast<void*>(each.const_data_ptr()));
  return {numbers + place * across, across, tokens};
}

}  // namespace zoomvqa
