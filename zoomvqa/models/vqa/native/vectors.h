// Vectors of sixteen numbers, which any compiler of the GNU family maps onto what its machine has; products of bfloat16
// use the machine's own where it has them.

#pragma once

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include <cstdint>
#include <cstring>

namespace zoomvqa {

constexpr int64_t kLanes = 16;
constexpr int64_t kRows = 12;  // of a product that are worked on at a time
constexpr float kLog2E = 1.44269504f;
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

// The larger of each pair; where one of them is not a number, `other`.
inline Floats larger(const Floats& one, const Floats& other) {
#ifdef __AVX512F__
  return as<Floats>(_mm512_max_ps(as<__m512>(one), as<__m512>(other)));
#else
  return one > other ? one : other;
#endif
}

// Numbers in float32.
struct Single {
  using Number = float;
  static constexpr int64_t kPer = 1;  // numbers in a unit
  // 2^x for |x| <= 1/2, the polynomial of this degree with the least relative error, 2e-9.
  static constexpr float kPower[] = {1.0f, 0.6931472f, 0.24022646f, 0.055503286f, 0.009618489f, 0.0013399931f,
                                     0.00015345812f};
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
  // The same with an error of 8e-5, a twentieth of what rounding to bfloat16 loses.
  static constexpr float kPower[] = {0.99992806f, 0.69326097f, 0.24261113f, 0.05517167f};
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
    for (int64_t i = 0; i < kLanes; ++i)
      to[i] = static_cast<uint16_t>((bits[i] + 0x7fffu + (bits[i] >> 16 & 1u)) >> 16);
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

// 2^x for x <= 0; below 2^-126 it is about that, and not a number stays so.
template <class E>
inline Floats power_of_two(Floats x) {
  constexpr float kRound = 12582912.0f;  // adding and taking away 1.5 * 2^23 rounds to a whole number
  constexpr int kDegree = sizeof(E::kPower) / sizeof(float) - 1;
  x = larger(Floats{} - 126.0f, x);
  const Floats moved = x + kRound;
  const Floats part = x - (moved - kRound);
  Floats power = Floats{} + E::kPower[kDegree];
  for (int n = kDegree - 1; n >= 0; --n) power = power * part + E::kPower[n];
  // The low bits of `moved` are the whole number, which is added to the exponent.
  return as<Floats>(as<Ints>(power) + (as<Ints>(moved) << 23));
}

inline float largest(const Floats& values) {
  float most = values[0];
  for (int64_t i = 1; i < kLanes; ++i) most = values[i] > most ? values[i] : most;
  return most;
}

}  // namespace zoomvqa
