#include "CCRC32C.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#define ORDNER_TARGET __attribute__((target("sse4.2")))
#define STEP8(value, word) ((uint32_t)_mm_crc32_u64((value), (word)))
#define STEP1(value, byte) (_mm_crc32_u8((value), (byte)))

bool ordner_crc32c_is_hardware(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2");
}

#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#define ORDNER_TARGET __attribute__((target("crc")))
#define STEP8(value, word) (__crc32cd((value), (word)))
#define STEP1(value, byte) (__crc32cb((value), (byte)))

bool ordner_crc32c_is_hardware(void) { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }

#else
#define ORDNER_TARGET
#define STEP8(value, word) (value)
#define STEP1(value, byte) (value)

bool ordner_crc32c_is_hardware(void) { return false; }
#endif

ORDNER_TARGET uint32_t ordner_crc32c_advance(uint32_t value, const void *bytes, size_t count) {
    const unsigned char *next = bytes;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        value = STEP8(value, word);
    }
    for (; count > 0; count--, next++) value = STEP1(value, *next);
    return value;
}
