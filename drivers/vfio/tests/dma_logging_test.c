// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA logging with a made-up device: merging of ranges against a plain model
 * (C23), what is refused of a user's ranges, and the report's geometry (C24).
 */
#include <kunit/test.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/mman.h>
#include <linux/prandom.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "dma_logging.h"

#define MAX_NODES	64

struct model_range {
	unsigned long start, last;
};

static int by_start(const void *a, const void *b)
{
	const struct model_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Joins the first of the closest neighbours until @want are left. */
static int model_combine(struct model_range *r, int n, int want)
{
	int i, best;

	while (n > max(want, 1)) {
		for (best = 0, i = 1; i + 1 < n; i++)
			if (r[i + 1].start - r[i].last < r[best + 1].start - r[best].last)
				best = i;
		r[best].last = r[best + 1].last;
		memmove(&r[best + 1], &r[best + 2], (n - best - 2) * sizeof(*r));
		n--;
	}
	return n;
}

static void check_combine(struct kunit *test, struct model_range *r, int n, int want)
{
	struct rb_root_cached root = RB_ROOT_CACHED;
	struct interval_tree_node *nodes, *node;
	int i;

	nodes = kunit_kcalloc(test, n, sizeof(*nodes), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, nodes);
	for (i = 0; i < n; i++) {
		nodes[i].start = r[i].start;
		nodes[i].last = r[i].last;
		interval_tree_insert(&nodes[i], &root);
	}
	sort(r, n, sizeof(*r), by_start, NULL);

	vfio_combine_iova_ranges(&root, n, want);
	n = model_combine(r, n, want);

	node = interval_tree_iter_first(&root, 0, ULONG_MAX);
	for (i = 0; i < n; i++) {
		KUNIT_ASSERT_NOT_NULL(test, node);
		KUNIT_EXPECT_EQ(test, node->start, r[i].start);
		KUNIT_EXPECT_EQ(test, node->last, r[i].last);
		/* The cached ends must be right: a search finds the last byte. */
		KUNIT_EXPECT_PTR_EQ(test, node,
				    interval_tree_iter_first(&root, r[i].last, r[i].last));
		node = interval_tree_iter_next(node, 0, ULONG_MAX);
	}
	KUNIT_EXPECT_NULL(test, node);
	kunit_kfree(test, nodes);
}

static void few_ranges_are_left_alone(struct kunit *test)
{
	struct rb_root_cached root = RB_ROOT_CACHED;
	struct model_range one[1] = { { 0x1000, 0x1fff } };

	vfio_combine_iova_ranges(&root, 0, 0);
	vfio_combine_iova_ranges(&root, 0, 1);
	KUNIT_EXPECT_NULL(test, interval_tree_iter_first(&root, 0, ULONG_MAX));
	check_combine(test, one, 1, 0);
	check_combine(test, one, 1, 1);
	check_combine(test, one, 1, 5);
}

static void widest_gaps_survive(struct kunit *test)
{
	struct model_range edge[] = {
		{ 0, 0xfff }, { ULONG_MAX - 0xfff, ULONG_MAX }, { 0x3000, 0x3fff },
	};

	check_combine(test, edge, 3, 2);
	KUNIT_EXPECT_EQ(test, edge[0].last, 0x3fffUL);
}

static void random_ranges_match_the_model(struct kunit *test)
{
	struct model_range r[MAX_NODES];
	struct rnd_state rnd;
	int round, i, k, n;

	prandom_seed_state(&rnd, 12);
	for (round = 0; round < 300; round++) {
		unsigned long at = 0;

		n = 1 + prandom_u32_state(&rnd) % MAX_NODES;
		for (i = 0; i < n; i++) {
			at += 1 + prandom_u32_state(&rnd) % (round % 3 ? 8 : 1 << 20);
			r[i].start = at;
			at += prandom_u32_state(&rnd) % 64;
			r[i].last = at++;
		}
		/* Inserted in an order of their own. */
		for (i = n - 1; i > 0; i--) {
			k = prandom_u32_state(&rnd) % (i + 1);
			swap(r[i], r[k]);
		}
		check_combine(test, r, n, prandom_u32_state(&rnd) % (n + 2));
	}
}

struct mock {
	struct vfio_device device;
	int started, stopped;
	u32 nnodes;
	u64 page_size;
	unsigned long dirty;
	unsigned long take_away;	/* user page that ->log_start() unmaps */
};

static int mock_start(struct vfio_device *device, struct rb_root_cached *ranges,
		      u32 nnodes, u64 *page_size)
{
	struct mock *mock = container_of(device, struct mock, device);

	mock->started++;
	mock->nnodes = nnodes;
	mock->page_size = *page_size;
	*page_size = 0x2000;
	if (mock->take_away)
		vm_munmap(mock->take_away, PAGE_SIZE);
	return 0;
}

static int mock_stop(struct vfio_device *device)
{
	container_of(device, struct mock, device)->stopped++;
	return 0;
}

static int mock_read(struct vfio_device *device, unsigned long iova,
		     unsigned long length, struct iova_bitmap *dirty)
{
	struct mock *mock = container_of(device, struct mock, device);

	if (mock->dirty >= iova && mock->dirty - iova < length)
		iova_bitmap_set(dirty, mock->dirty, 1);
	return 0;
}

static const struct vfio_log_ops mock_ops = {
	.log_start = mock_start,
	.log_stop = mock_stop,
	.log_read_and_clear = mock_read,
};

static struct mock *make_mock(struct kunit *test)
{
	struct mock *mock = kunit_kzalloc(test, sizeof(*mock), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mock);
	mock->device.log_ops = &mock_ops;
	return mock;
}

static void __user *user_pages(struct kunit *test)
{
	unsigned long addr;

	addr = kunit_vm_mmap(test, NULL, 0, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return (void __user *)addr;
}

#define RANGES_MAX ((u32)(PAGE_SIZE / sizeof(struct vfio_device_feature_dma_logging_range)))

static int start(struct kunit *test, struct mock *mock, u64 page_size, u32 n,
		 const struct vfio_device_feature_dma_logging_range *ranges, u32 given)
{
	void __user *page = user_pages(test);
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = page_size, .num_ranges = n,
		.ranges = (uintptr_t)page + PAGE_SIZE,
	};

	KUNIT_ASSERT_EQ(test, 0UL, copy_to_user(page, &control, sizeof(control)));
	KUNIT_ASSERT_EQ(test, 0UL, copy_to_user(page + PAGE_SIZE, ranges,
						given * sizeof(*ranges)));
	return vfio_feature_dma_logging_start(&mock->device, VFIO_DEVICE_FEATURE_SET,
					      page, sizeof(control));
}

static void start_refuses_what_cannot_be_logged(struct kunit *test)
{
	static const struct {
		u64 page_size;
		struct vfio_device_feature_dma_logging_range r[2];
		u32 n;
		int ret;
	} bad[] = {
		{ 0,      { { 0, 0x1000 } }, 1, -EINVAL },
		{ 0x1800, { { 0, 0x1000 } }, 1, -EINVAL },
		{ 0x1000, { { 0, 0x1000 } }, 0, -EINVAL },
		{ 0x1000, { { 0, 0 } }, 1, -EINVAL },
		{ 0x1000, { { 0x800, 0x1000 } }, 1, -EINVAL },
		{ 0x1000, { { 0, 0x1800 } }, 1, -EINVAL },
		{ 0x1000, { { 0, 0x2000 }, { 0x1000, 0x1000 } }, 2, -EINVAL },
		{ 0x1000, { { 0, 0x1000 }, { 0, 0x1000 } }, 2, -EINVAL },
		{ 0x1000, { { -0x1000ULL, 0x2000 } }, 1, -EOVERFLOW },
		{ 1ULL << 63, { { 1ULL << 63, 1ULL << 63 }, { 0, 0 } }, 2, -EINVAL },
		{ 0x1000, { { 0, 0x1000 } }, U32_MAX, -E2BIG },
		{ 0x1000, { { 0, 0x1000 } }, RANGES_MAX + 1, -E2BIG },
	};
	struct mock *mock = make_mock(test);
	int i;

	if (!IS_ENABLED(CONFIG_IOMMUFD_DRIVER))
		kunit_skip(test, "built without iova_bitmap");

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, bad[i].ret,
				    start(test, mock, bad[i].page_size, bad[i].n,
					  bad[i].r, 2), "row %d", i);
	KUNIT_EXPECT_EQ(test, mock->started, 0);
}

static void start_takes_neighbours_and_the_last_page(struct kunit *test)
{
	static const struct vfio_device_feature_dma_logging_range r[] = {
		{ 0x1000, 0x1000 }, { -0x1000ULL, 0x1000 }, { 0, 0x1000 },
	};
	struct mock *mock = make_mock(test);

	if (!IS_ENABLED(CONFIG_IOMMUFD_DRIVER))
		kunit_skip(test, "built without iova_bitmap");

	KUNIT_EXPECT_EQ(test, 0, start(test, mock, 0x1000, 3, r, 3));
	KUNIT_EXPECT_EQ(test, mock->nnodes, 3U);
	KUNIT_EXPECT_EQ(test, mock->page_size, 0x1000ULL);
}

static void start_writes_the_page_size_back(struct kunit *test)
{
	static const struct vfio_device_feature_dma_logging_range r = { 0, 0x2000 };
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = 0x1000, .num_ranges = 1,
	};
	struct mock *mock = make_mock(test);
	void __user *page = user_pages(test);

	if (!IS_ENABLED(CONFIG_IOMMUFD_DRIVER))
		kunit_skip(test, "built without iova_bitmap");

	control.ranges = (uintptr_t)page + PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, 0UL, copy_to_user(page + PAGE_SIZE, &r, sizeof(r)));
	KUNIT_ASSERT_EQ(test, 0UL, copy_to_user(page, &control, sizeof(control)));

	KUNIT_EXPECT_EQ(test, 0,
			vfio_feature_dma_logging_start(&mock->device,
						       VFIO_DEVICE_FEATURE_SET, page,
						       sizeof(control)));
	KUNIT_ASSERT_EQ(test, 0UL, copy_from_user(&control, page, sizeof(control)));
	KUNIT_EXPECT_EQ(test, control.page_size, 0x2000ULL);
	KUNIT_EXPECT_EQ(test, mock->stopped, 0);

	/* The user takes the page away while the device is being started. */
	mock->take_away = (unsigned long)page;
	KUNIT_EXPECT_EQ(test, -EFAULT,
			vfio_feature_dma_logging_start(&mock->device,
						       VFIO_DEVICE_FEATURE_SET, page,
						       sizeof(control)));
	KUNIT_EXPECT_EQ(test, mock->started, 2);
	KUNIT_EXPECT_EQ(test, mock->stopped, 1);
}

static int report(struct kunit *test, struct mock *mock, u64 iova, u64 length,
		  u64 page_size, void __user *bitmap)
{
	void __user *page = user_pages(test);
	struct vfio_device_feature_dma_logging_report r = {
		.iova = iova, .length = length, .page_size = page_size,
		.bitmap = (uintptr_t)bitmap,
	};

	KUNIT_ASSERT_EQ(test, 0UL, copy_to_user(page, &r, sizeof(r)));
	return vfio_feature_dma_logging_report(&mock->device, VFIO_DEVICE_FEATURE_GET,
					       page, sizeof(r));
}

static void report_checks_its_geometry(struct kunit *test)
{
	struct mock *mock = make_mock(test);
	u64 __user *bitmap = user_pages(test);
	u64 word = 1;

	if (!IS_ENABLED(CONFIG_IOMMUFD_DRIVER))
		kunit_skip(test, "built without iova_bitmap");

	KUNIT_EXPECT_EQ(test, -EINVAL, report(test, mock, 0, 0x1000, 0, bitmap));
	KUNIT_EXPECT_EQ(test, -EINVAL, report(test, mock, 0, 0x1000, 0x800, bitmap));
	KUNIT_EXPECT_EQ(test, -EINVAL, report(test, mock, 0, 0x1000, 0x3000, bitmap));
	KUNIT_EXPECT_EQ(test, -EINVAL, report(test, mock, 0, 0, 0x1000, bitmap));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, report(test, mock, -0x1000ULL, 0x2000,
						 0x1000, bitmap));

	/* Set bits are added to the user's, bit 3 is the dirty page. */
	mock->dirty = 0x13000;
	KUNIT_ASSERT_EQ(test, 0UL, copy_to_user(bitmap, &word, sizeof(word)));
	KUNIT_EXPECT_EQ(test, 0, report(test, mock, 0x10000, 0x10000, 0x1000, bitmap));
	KUNIT_ASSERT_EQ(test, 0UL, copy_from_user(&word, bitmap, sizeof(word)));
	KUNIT_EXPECT_EQ(test, word, 9ULL);
}

static void devices_without_a_log_answer_enotty(struct kunit *test)
{
	struct mock *mock = make_mock(test);
	const u32 probe = VFIO_DEVICE_FEATURE_PROBE;

	if (IS_ENABLED(CONFIG_IOMMUFD_DRIVER)) {
		KUNIT_EXPECT_EQ(test, 0, vfio_feature_dma_logging_start(&mock->device, probe |
					VFIO_DEVICE_FEATURE_SET, NULL, 0));
		mock->device.log_ops = NULL;
	}
	KUNIT_EXPECT_EQ(test, -ENOTTY,
			vfio_feature_dma_logging_start(&mock->device, probe, NULL, 0));
	KUNIT_EXPECT_EQ(test, -ENOTTY,
			vfio_feature_dma_logging_stop(&mock->device, probe, NULL, 0));
	KUNIT_EXPECT_EQ(test, -ENOTTY,
			vfio_feature_dma_logging_report(&mock->device, probe, NULL, 0));
}

static void incomplete_operations_are_refused(struct kunit *test)
{
	struct mock *mock = make_mock(test);
	struct vfio_log_ops ops = mock_ops;

	KUNIT_EXPECT_EQ(test, 0, vfio_dma_logging_check(&mock->device));
	mock->device.log_ops = &ops;
	ops.log_stop = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, vfio_dma_logging_check(&mock->device));
	mock->device.log_ops = NULL;
	KUNIT_EXPECT_EQ(test, 0, vfio_dma_logging_check(&mock->device));
}

static struct kunit_case dma_logging_cases[] = {
	KUNIT_CASE(few_ranges_are_left_alone),
	KUNIT_CASE(widest_gaps_survive),
	KUNIT_CASE(random_ranges_match_the_model),
	KUNIT_CASE(start_refuses_what_cannot_be_logged),
	KUNIT_CASE(start_takes_neighbours_and_the_last_page),
	KUNIT_CASE(start_writes_the_page_size_back),
	KUNIT_CASE(report_checks_its_geometry),
	KUNIT_CASE(devices_without_a_log_answer_enotty),
	KUNIT_CASE(incomplete_operations_are_refused),
	{}
};

static struct kunit_suite dma_logging_suite = {
	.name = "vfio_dma_logging",
	.test_cases = dma_logging_cases,
};

kunit_test_suite(dma_logging_suite);
