// Vectors of sixteen numbers, which any compiler of the GNU family maps onto what its machine has; products of bfloat16
// use the machine's own where it has them.

#pragma once

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

#include <cstdint>
#include <cstring>

namespace zoomvqa {

constexpr int64_t kLanes = 16;
using Floats = float __attribute__((vector_size(64)));
using Ints = int32_t __attribute__((vector_size(64)));
// What products take at a time: a float, or two bfloat16 beside each other. Sixteen of them are a vector.
using Unit = int32_t;

template <typename To, typename From>
inline To as(const From& value) {
  static_assert(sizeof(To) == sizeof(From));
  To result;
  std::memcpy(&result, &value, sizeof result);
  return result;
}

template <typename V>
inline V load(const void* from) {
  V value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename V>
inline void store(void* to, const V& value) {
  std::memcpy(to, &value, sizeof value);
}

inline Ints spread(Unit unit) { return unit - Ints{}; }

// Numbers in float32.
struct Single {
  using Number = float;
  static constexpr int64_t kPer = 1;  // numbers in a unit
  static constexpr int kTerms = 7;    // of the power series, for 1e-8
  static float widen(float number) { return number; }
  static Unit unit(const float* one, const float*) { return as<Unit>(*one); }
  static Floats add_product(const Floats& sum, const Ints& a, const Ints& b) {
    return sum + as<Floats>(a) * as<Floats>(b);
  }
  static void narrow(float* to, const Floats& values) { store(to, values); }
};

// Numbers in bfloat16; sums are float32.
struct Half {
  using Number = uint16_t;
  static constexpr int64_t kPer = 2;
  static constexpr int kTerms = 5;  // for 3e-6, well below what rounding to bfloat16 loses
  static float widen(uint16_t number) { return as<float>(static_cast<uint32_t>(number) << 16); }
  static Unit unit(const uint16_t* one, const uint16_t* other) {
    return static_cast<Unit>(*one | static_cast<uint32_t>(*other) << 16);
  }
  static Floats add_product(const Floats& sum, const Ints& a, const Ints& b) {
#ifdef __AVX512BF16__
    return as<Floats>(_mm512_dpbf16_ps(as<__m512>(sum), as<__m512bh>(a), as<__m512bh>(b)));
#else
    constexpr int32_t kHigh = static_cast<int32_t>(0xffff0000u);
    return sum + as<Floats>(a << 16) * as<Floats>(b << 16) + as<Floats>(a & kHigh) * as<Floats>(b & kHigh);
#endif
  }
  // To the nearest, ties to even, as torch rounds.
  static void narrow(uint16_t* to, const Floats& values) {
#ifdef __AVX512BF16__
    store(to, _mm512_cvtneps_pbh(as<__m512>(values)));
#else
    alignas(64) uint32_t bits[kLanes];
    store(bits, values);
    for (int64_t i = 0; i < kLanes; ++i) to[i] = static_cast<uint16_t>((bits[i] + 0x7fffu + (bits[i] >> 16 & 1u)) >> 16);
#endif
  }
};

inline float total(const Floats& values) {
  alignas(64) float each[kLanes];
  store(each, values);
  for (int64_t step = kLanes / 2; step; step /= 2)
    for (int64_t i = 0; i < step; ++i) each[i] += each[i + step];
  return each[0];
}

}  // namespace zoomvqa
