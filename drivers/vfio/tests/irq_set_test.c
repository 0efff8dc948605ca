// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every refusal of VFIO_DEVICE_SET_IRQS that does not depend on the bus, and
 * what is let through (P01).
 */
#include <kunit/test.h>
#include <linux/vfio.h>

#define NONE	VFIO_IRQ_SET_DATA_NONE
#define BOOL	VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD	VFIO_IRQ_SET_DATA_EVENTFD
#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER
#define HDR	((u32)sizeof(struct vfio_irq_set))

struct irq_set_case {
	const char *what;
	u32 argsz, flags, index, start, count;
	int num, max;
	int ret;
	size_t size;
};

static const struct irq_set_case cases[] = {
	{ "none", HDR, NONE | TRIGGER, 0, 0, 1, 1, 5, 0, 0 },
	{ "none, count 0", HDR, NONE | TRIGGER, 0, 0, 0, 1, 5, 0, 0 },
	{ "bool", HDR + 3, BOOL | TRIGGER, 1, 0, 3, 3, 5, 0, 3 },
	{ "eventfd", HDR + 12, EVENTFD | TRIGGER, 2, 1, 3, 4, 5, 0, 12 },
	{ "longer than needed", HDR + 100, EVENTFD | TRIGGER, 0, 0, 1, 1, 5, 0, 4 },
	{ "last index", HDR, NONE | TRIGGER, 4, 0, 1, 1, 5, 0, 0 },
	{ "header one short", HDR - 1, NONE | TRIGGER, 0, 0, 1, 1, 5, -EINVAL },
	{ "argsz 0", 0, NONE | TRIGGER, 0, 0, 1, 1, 5, -EINVAL },
	{ "unknown flag", HDR, NONE | TRIGGER | 0x40, 0, 0, 1, 1, 5, -EINVAL },
	{ "highest flag", HDR, NONE | TRIGGER | 0x80000000, 0, 0, 1, 1, 5, -EINVAL },
	{ "no data type", HDR, TRIGGER, 0, 0, 1, 1, 5, -EINVAL },
	{ "two data types", HDR + 4, NONE | BOOL | TRIGGER, 0, 0, 1, 1, 5, -EINVAL },
	{ "all data types", HDR + 4, 7 | TRIGGER, 0, 0, 1, 1, 5, -EINVAL },
	{ "index past the last", HDR, NONE | TRIGGER, 5, 0, 1, 1, 5, -EINVAL },
	{ "wild index", HDR, NONE | TRIGGER, 0xffffffff, 0, 1, 1, 5, -EINVAL },
	{ "no index at all", HDR, NONE | TRIGGER, 0, 0, 1, 1, 0, -EINVAL },
	{ "no interrupt", HDR, NONE | TRIGGER, 0, 0, 0, 0, 5, -EINVAL },
	{ "negative number of interrupts", HDR, NONE | TRIGGER, 0, 0, 1, -22, 5, -EINVAL },
	{ "start at the end", HDR, NONE | TRIGGER, 0, 4, 0, 4, 5, -EINVAL },
	{ "end past the last", HDR, NONE | TRIGGER, 0, 2, 3, 4, 5, -EINVAL },
	{ "wrap", HDR, NONE | TRIGGER, 0, 1, 0xffffffff, 4, 5, -EINVAL },
	{ "wrap to the start", HDR, NONE | TRIGGER, 0, 0xffffffff, 1, 4, 5, -EINVAL },
	{ "end at 2^32-1", HDR, NONE | TRIGGER, 0, 0, 0xffffffff, INT_MAX, 5, -EINVAL },
	{ "start 2^31", HDR, NONE | TRIGGER, 0, 0x80000000, 1, INT_MAX, 5, -EINVAL },
	{ "product past 2^32", HDR + 16, EVENTFD | TRIGGER, 0, 0, 0x40000004, INT_MAX, 5, -EINVAL },
	{ "bool one short", HDR + 2, BOOL | TRIGGER, 0, 0, 3, 3, 5, -EINVAL },
	{ "eventfd one short", HDR + 3, EVENTFD | TRIGGER, 0, 0, 1, 1, 5, -EINVAL },
};

static void header_is_checked(struct kunit *test)
{
	const struct irq_set_case *c;

	for (c = cases; c < cases + ARRAY_SIZE(cases); c++) {
		struct vfio_irq_set hdr = {
			.argsz = c->argsz, .flags = c->flags, .index = c->index,
			.start = c->start, .count = c->count,
		};
		size_t size = 0xaaaa;

		KUNIT_EXPECT_EQ_MSG(test, c->ret,
				    vfio_set_irqs_validate_and_prepare(&hdr, c->num,
								       c->max, &size),
				    "%s", c->what);
		/* A caller that ignores the errno has nothing to copy. */
		KUNIT_EXPECT_EQ_MSG(test, size, c->ret ? 0 : c->size, "%s", c->what);
	}
}

static void payload_needs_a_place_for_its_size(struct kunit *test)
{
	struct vfio_irq_set hdr = {
		.argsz = HDR + 4, .flags = EVENTFD | TRIGGER, .count = 1,
	};

	KUNIT_EXPECT_EQ(test, -EINVAL,
			vfio_set_irqs_validate_and_prepare(&hdr, 1, 1, NULL));
	hdr.flags = NONE | TRIGGER;
	KUNIT_EXPECT_EQ(test, 0,
			vfio_set_irqs_validate_and_prepare(&hdr, 1, 1, NULL));
}

static struct kunit_case irq_set_cases[] = {
	KUNIT_CASE(header_is_checked),
	KUNIT_CASE(payload_needs_a_place_for_its_size),
	{}
};

static struct kunit_suite irq_set_suite = {
	.name = "vfio_irq_set",
	.test_cases = irq_set_cases,
};

kunit_test_suite(irq_set_suite);
