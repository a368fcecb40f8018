// What stands around the attention and the MLP of a block: norms of tokens, and sums with what came of them, both at
// given places.

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "vectors.h"

namespace zoomvqa {
namespace {

// Rows of numbers around the attention, `count` of them for each of a batch, read and written where `places` say.
struct Rows {
  float* x;
  const int64_t* places;
  int64_t batch, count, tokens, channels, stride;

  Rows(const at::Tensor& numbers, const at::Tensor& where)
      : x(const_cast<float*>(numbers.const_data_ptr<float>())), places(where.const_data_ptr<int64_t>()),
        batch(numbers.size(0)), count(where.numel()), tokens(numbers.size(1)), channels(numbers.size(2)),
        stride(numbers.stride(0)) {
    TORCH_CHECK(numbers.stride(2) == 1 && numbers.stride(1) == channels && channels % kLanes == 0);
    TORCH_CHECK(where.dim() == 1 && where.is_contiguous());
  }

  // Calls `work` with the number of a row and where it is in x, or null where it is padding.
  template <class Work>
  void each(const Work& work) const {
    at::parallel_for(0, batch * count, std::max<int64_t>(1, 4096 / channels), [&](int64_t begin, int64_t end) {
      for (int64_t at = begin; at < end; ++at) {
        const int64_t place = places[at % count];
        work(at, place < tokens ? x + at / count * stride + place * channels : nullptr);
      }
    });
  }
};

template <class E>
void normalise(const float* from, typename E::Number* to, const float* weight, const float* bias, int64_t channels,
               float eps) {
  if (!from) return std::fill(to, to + channels, typename E::Number{});
  Floats sum{}, square{};
  for (int64_t c = 0; c < channels; c += kLanes) sum += load<Floats>(from + c);
  const float mean = total(sum) / static_cast<float>(channels);
  for (int64_t c = 0; c < channels; c += kLanes) {
    const Floats apart = load<Floats>(from + c) - mean;
    square += apart * apart;
  }
  const float share = 1.0f / std::sqrt(total(square) / static_cast<float>(channels) + eps);
  for (int64_t c = 0; c < channels; c += kLanes)
    E::narrow(to + c, (load<Floats>(from + c) - mean) * share * load<Floats>(weight + c) + load<Floats>(bias + c));
}

// out: (batch, count, channels) of float32 or bfloat16, layer norms of the rows of x, (batch, tokens, channels)
// float32, at the places; beyond the tokens there is padding, which is nought.
void norm_at(at::Tensor& out, const at::Tensor& x, const at::Tensor& places, const at::Tensor& weight,
             const at::Tensor& bias, double eps) {
  const Rows rows(x, places);
  TORCH_CHECK(out.is_contiguous() && out.numel() == rows.batch * rows.count * rows.channels);
  const auto *scale = weight.const_data_ptr<float>(), *move = bias.const_data_ptr<float>();
  const auto work = [&](auto element) {
    using E = decltype(element);
    auto* to = reinterpret_cast<typename E::Number*>(out.mutable_data_ptr());
    rows.each([&](int64_t at, const float* from) {
      normalise<E>(from, to + at * rows.channels, scale, move, rows.channels, static_cast<float>(eps));
    });
  };
  out.scalar_type() == at::kFloat ? work(Single{}) : work(Half{});
}

// out: (batch, count, several * channels) of float32 or bfloat16, layer norms of several rows of x behind each other,
// at the (count, several) places; beyond the tokens there is padding, a row of noughts.
void norm_joined(at::Tensor& out, const at::Tensor& x, const at::Tensor& places, const at::Tensor& weight,
                 const at::Tensor& bias, double eps) {
  TORCH_CHECK(places.dim() == 2 && places.is_contiguous());  // else what is flattened would be a copy that is gone
  const Rows rows(x, places.flatten());
  const int64_t several = places.size(1), across = several * rows.channels, count = places.size(0);
  TORCH_CHECK(out.is_contiguous() && out.numel() == rows.batch * count * across);
  const auto *scale = weight.const_data_ptr<float>(), *move = bias.const_data_ptr<float>();
  const auto work = [&](auto element) {
    using E = decltype(element);
    auto* to = reinterpret_cast<typename E::Number*>(out.mutable_data_ptr());
    at::parallel_for(0, rows.batch * count, std::max<int64_t>(1, 4096 / across), [&](int64_t begin, int64_t end) {
      std::vector<float> joined(across);
      for (int64_t at = begin; at < end; ++at) {
        for (int64_t k = 0; k < several; ++k) {
          const int64_t place = rows.places[at % count * several + k];
          const float* from = rows.x + at / count * rows.stride + place * rows.channels;
          float* row = joined.data() + k * rows.channels;
          place < rows.tokens ? std::copy_n(from, rows.channels, row) : std::fill_n(row, rows.channels, 0.0f);
        }
        normalise<E>(joined.data(), to + at * across, scale, move, across, static_cast<float>(eps));
      }
    });
  };
  out.scalar_type() == at::kFloat ? work(Single{}) : work(Half{});
}

// Adds rows of float32 or bfloat16 to those of x at the places; what is for padding is dropped.
void add_at(at::Tensor& x, const at::Tensor& places, const at::Tensor& more) {
  const Rows rows(x, places);
  TORCH_CHECK(more.is_contiguous() && more.numel() == rows.batch * rows.count * rows.channels);
  const auto work = [&](auto element) {
    using E = decltype(element);
    const auto* from = reinterpret_cast<const typename E::Number*>(more.const_data_ptr());
    rows.each([&](int64_t at, float* to) {
      if (!to) return;
      const auto* added = from + at * rows.channels;
#pragma GCC ivdep
      for (int64_t c = 0; c < rows.channels; ++c) to[c] += E::widen(added[c]);
    });
  };
  more.scalar_type() == at::kFloat ? work(Single{}) : work(Half{});
}

}  // namespace
}  // namespace zoomvqa

TORCH_LIBRARY_FRAGMENT(zoomvqa, library) {
  library.def("norm_at(Tensor(a!) out, Tensor x, Tensor places, Tensor weight, Tensor bias, float eps) -> ()");
  library.def("norm_joined(Tensor(a!) out, Tensor x, Tensor places, Tensor weight, Tensor bias, float eps) -> ()");
  library.def("add_at(Tensor(a!) x, Tensor places, Tensor more) -> ()");
}

TORCH_LIBRARY_IMPL(zoomvqa, CPU, library) {
  library.impl("norm_at", zoomvqa::norm_at);
  library.impl("norm_joined", zoomvqa::norm_joined);
  library.impl("add_at", zoomvqa::add_at);
}
