/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rooms of vfio_bench share: samples, clocks, counters and memory.
 */
#ifndef SELFTESTS_VFIO_BENCH_H
#define SELFTESTS_VFIO_BENCH_H

#include "vfio_test.h"

/* --- vfio_bench.c: what comes out ------------------------------------------ */

/*
 * Everything measured is a sample of a line, which is known by a key such as
 * "map_huge". A work is run again and again; each time it adds a sample to each
 * of its lines. The first time only warms up, and its samples are dropped.
 */
void sample(const char *key, double value);
/* The kernel does not have what the line measures. */
void missing(const char *key, const char *why);
/* A fact about this run. */
void remark(const char *key, const char *format, ...);
/* What must not fail did. */
_Noreturn void die(const char *format, ...);

/* A call that must give no error, whose value is given back. */
#define MUST(call) ({							\
	long __ret = (call);						\
									\
	if (__ret < 0)							\
		die("%s: %s", #call, strerror(-__ret));			\
	__ret;								\
})

struct work {
	const char *name;
	unsigned int repetitions;
	void (*run)(void);
};

extern const struct work map_works[];		/* maps.c */
extern const struct work device_works[];	/* devices.c */
extern const struct work register_works[];	/* registers.c */
extern const struct work count_works[];		/* counts.c */
extern const struct work blocked_works[];	/* blocked.c */
extern const struct work floor_works[];		/* floor.c */

/* --- clock.c: time and events ----------------------------------------------- */

__u64 ticks(void);
double ticks_per_instruction(void);

enum counter {
	COUNT_FLUSHES,		/* requests to the IOMMU to flush something */
	COUNT_IOMMU_MAPS,	/* iommu_map() */
	COUNT_IOMMU_UNMAPS,	/* iommu_unmap() */
	COUNT_MMAP_WRITES,	/* mmap locks taken for writing */
	COUNTERS,
};

bool counters_open(void);
void counters_start(void);
void counters_stop(__u64 counts[COUNTERS]);
__s64 kernel_memory(void);

/* --- memory.c: memory to map --------------------------------------------------- */

enum memory_kind {
	MEMORY_HUGE,		/* huge pages */
	MEMORY_CONTIGUOUS,	/* small pages, neighbours in physical memory mostly */
	MEMORY_SCATTERED,	/* small pages, no two neighbours */
	MEMORY_KINDS,
};

extern const char *const memory_names[MEMORY_KINDS];

struct memory {
	char *at;
	size_t size;
	__u64 iova;		/* for it all: entries of the IOMMU get the size meant */
};

#define MEMORY_SIZE	(128 * MIB)

const struct memory *memory(enum memory_kind kind);
void memory_make(struct memory *memory, enum memory_kind kind, size_t size);
void memory_free(struct memory *memory);
unsigned long memory_runs(const struct memory *memory);

/* --- maps.c ------------------------------------------------------------------- */

/* edu, in a container of its own. */
void open_edu(struct vfio_dev *dev);

#define MANY		16384		/* mappings of one page */
#define FEW		256		/* that come and go among them */

void map_many(int container, const struct memory *memory);
__u64 free_slot(unsigned int nth);

#endif /* SELFTESTS_VFIO_BENCH_H */
