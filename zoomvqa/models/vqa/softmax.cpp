// Attention weights out of products and bias in one pass over the cache: what takes torch four passes over memory.

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <torch/library.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

namespace {

inline float widen(uint16_t half) {
  uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// To the nearest bfloat16, ties to even, as torch rounds.
inline uint16_t narrow(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// 2^x for x <= 0, to 3e-6 of itself; below 2^-126 it is 2^-126, and not a number stays so.
inline float power_of_two(float x) {
  x = x < -126.0f ? -126.0f : x;
  // Adding and taking away 1.5 * 2^23 rounds to a whole number.
  float whole = (x + 12582912.0f) - 12582912.0f;
  float part = (x - whole) * 0.69314718f;
  float power = 1.0f + part * (1.0f + part * (0.5f + part * (0.16666667f + part * (0.041666667f + part *
                0.0083333333f))));
  uint32_t bits = static_cast<uint32_t>(static_cast<int32_t>(whole) + 127) << 23;
  float scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return power * scale;
}

void fill(float* bias, const uint16_t* start, const uint16_t* rise, const uint8_t* gate, int64_t count) {
  if (!rise) {
    for (int64_t j = 0; j < count; ++j) bias[j] = widen(start[j]);
    return;
  }
#pragma omp simd
  for (int64_t j = 0; j < count; ++j) bias[j] = widen(start[j]) + static_cast<float>(gate[j]) * widen(rise[j]);
}

void weigh(uint16_t* row, const float* bias, float* buffer, int64_t count, float scale) {
  constexpr float kLog2E = 1.44269504f;
  float largest = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : largest)
  for (int64_t j = 0; j < count; ++j) {
    float value = widen(row[j]) * scale + bias[j];
    buffer[j] = value;
    largest = value > largest ? value : largest;
  }
  float total = 0.0f;
#pragma omp simd reduction(+ : total)
  for (int64_t j = 0; j < count; ++j) {
    float power = power_of_two((buffer[j] - largest) * kLog2E);
    buffer[j] = power;
    total += power;
  }
  float share = 1.0f / total;
#pragma omp simd
  for (int64_t j = 0; j < count; ++j) row[j] = narrow(buffer[j] * share);
}

// scores: (parts * heads, N, N) bfloat16, replaced by softmax(scale * scores + start + gate * rise).
// start, rise: (heads, N, N) bfloat16; gate: (N, N) uint8. Without rise the bias is start.
void softmax_with_bias(at::Tensor& scores, const at::Tensor& start, const std::optional<at::Tensor>& rise,
                       const at::Tensor& gate, double scale) {
  const int64_t heads = start.size(0), count = start.size(1);
  TORCH_CHECK(scores.is_contiguous() && start.is_contiguous() && gate.is_contiguous());
  TORCH_CHECK(scores.scalar_type() == at::kBFloat16 && start.scalar_type() == at::kBFloat16);
  TORCH_CHECK(scores.numel() % start.numel() == 0 && scores.size(-1) == count && start.size(2) == count);
  TORCH_CHECK(gate.scalar_type() == at::kByte && gate.numel() == count * count);
  TORCH_CHECK(!rise || (rise->is_contiguous() && rise->scalar_type() == at::kBFloat16));
  TORCH_CHECK(!rise || rise->numel() == start.numel());
  const int64_t parts = scores.numel() / start.numel();
  auto* values = reinterpret_cast<uint16_t*>(scores.data_ptr());
  const auto* first = reinterpret_cast<const uint16_t*>(start.data_ptr());
  const auto* more = rise ? reinterpret_cast<const uint16_t*>(rise->data_ptr()) : nullptr;
  const auto* steps = gate.data_ptr<uint8_t>();
  at::parallel_for(0, heads * count, 16, [&](int64_t begin, int64_t end) {
    std::vector<float> bias(count), buffer(count);
    for (int64_t at = begin; at < end; ++at) {
      fill(bias.data(), first + at * count, more ? more + at * count : nullptr, steps + (at % count) * count, count);
      for (int64_t part = 0; part < parts; ++part)
        weigh(values + (part * heads * count + at) * count, bias.data(), buffer.data(), count,
              static_cast<float>(scale));
    }
  });
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(zoomvqa, library) {
  library.def("softmax_with_bias(Tensor(a!) scores, Tensor start, Tensor? rise, Tensor gate, float scale) -> ()");
}

TORCH_LIBRARY_IMPL(zoomvqa, CPU, library) { library.impl("softmax_with_bias", softmax_with_bias); }
