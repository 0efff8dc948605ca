// SPDX-License-Identifier: GPL-2.0-only
/*
 * The extent log: merging, going opaque, what it costs, and random mappings
 * against an array that says it page by page.
 */
#include <kunit/test.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "type1/extent.h"

#define WINDOW	((unsigned long)EXTENT_WINDOW_PAGES)
#define WINDOW_BYTES	((unsigned long)SZ_2M)

/* With large pages a window has so few of them that it never goes opaque. */
#define CAN_GO_OPAQUE	(EXTENT_WINDOW_PAGES > 2 * EXTENT_WINDOW_SLOTS)

/* A log and who writes it. */
struct book {
	struct extent_log log;
	struct extent_writer writer;
	unsigned long iova;
	unsigned int reserve;
};

static void begin(struct book *book, unsigned long iova)
{
	book->iova = iova;
	book->reserve = 1;
	book->log = (struct extent_log){};
	extent_writer_init(&book->writer, &book->log, iova);
}

static void append(struct kunit *test, struct book *book, unsigned long pfn,
		   unsigned long npages, unsigned int kind)
{
	/* Now for this one and now for more to come. */
	KUNIT_ASSERT_EQ(test, 0,
			extent_writer_reserve(&book->writer,
					      book->reserve++ % 97 ? 1 : 200));
	extent_writer_append(&book->writer, pfn, npages, kind);
}

/* Pages of which no two follow each other. */
static void append_scattered(struct kunit *test, struct book *book,
			     unsigned long pfn, unsigned long npages)
{
	unsigned long i;

	for (i = 0; i < npages; i++)
		append(test, book, pfn + 2 * i, 1, EXTENT_PAGES);
}

static unsigned int count_extents(const struct extent_log *log)
{
	struct extent_iter iter;
	unsigned int nr = 0;

	extent_iter_init(&iter, log);
	while (extent_iter_next(&iter))
		nr++;
	return nr;
}

static void expect_extent(struct kunit *test, const struct extent_log *log,
			  unsigned int number, struct extent want)
{
	struct extent_iter iter;
	unsigned int nr = 0;

	extent_iter_init(&iter, log);
	while (extent_iter_next(&iter)) {
		if (nr++ != number)
			continue;
		KUNIT_EXPECT_EQ(test, iter.now.index, want.index);
		KUNIT_EXPECT_EQ(test, iter.now.npages, want.npages);
		KUNIT_EXPECT_EQ(test, iter.now.kind, want.kind);
		if (want.kind != EXTENT_OPAQUE)
			KUNIT_EXPECT_EQ(test, iter.now.pfn, want.pfn);
		return;
	}
	KUNIT_FAIL(test, "there is no extent %u of %u", number, nr);
}

static void an_empty_log_has_no_extents(struct kunit *test)
{
	struct book book;

	begin(&book, 0);
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), 0U);
	KUNIT_EXPECT_EQ(test, extent_log_bytes(&book.log), (size_t)0);
	extent_log_clear(&book.log);
	KUNIT_EXPECT_EQ(test, extent_log_pages(&book.log), 0UL);
}

static void runs_that_follow_each_other_merge(struct kunit *test)
{
	struct book book;

	begin(&book, 0);
	append(test, &book, 100, 5, EXTENT_PAGES);
	append(test, &book, 105, 7, EXTENT_PAGES);
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), 1U);
	/* A hole, going back, another kind: none of them merges. */
	append(test, &book, 113, 1, EXTENT_PAGES);
	append(test, &book, 112, 1, EXTENT_PAGES);
	append(test, &book, 113, 1, EXTENT_DEVICE);
	append(test, &book, 114, 1, EXTENT_DEVICE);
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), 4U);
	KUNIT_EXPECT_EQ(test, extent_log_pages(&book.log), 16UL);

	expect_extent(test, &book.log, 0, (struct extent){ 0, 100, 12, EXTENT_PAGES });
	expect_extent(test, &book.log, 1, (struct extent){ 12, 113, 1, EXTENT_PAGES });
	expect_extent(test, &book.log, 2, (struct extent){ 13, 112, 1, EXTENT_PAGES });
	expect_extent(test, &book.log, 3, (struct extent){ 14, 113, 2, EXTENT_DEVICE });
	extent_log_clear(&book.log);
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), 0U);
}

static void a_long_run_takes_another_slot(struct kunit *test)
{
	const unsigned long pfn = 1UL << 20;
	struct book book;

	begin(&book, 0);
	append(test, &book, pfn, EXTENT_MAX_PAGES, EXTENT_PAGES);
	append(test, &book, pfn + EXTENT_MAX_PAGES, EXTENT_MAX_PAGES, EXTENT_PAGES);
	append(test, &book, pfn + 2 * EXTENT_MAX_PAGES, 1, EXTENT_PAGES);
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), 3U);
	KUNIT_EXPECT_EQ(test, extent_log_pages(&book.log), 2 * EXTENT_MAX_PAGES + 1);
	expect_extent(test, &book.log, 1, (struct extent){
		EXTENT_MAX_PAGES, pfn + EXTENT_MAX_PAGES, EXTENT_MAX_PAGES,
		EXTENT_PAGES });
	extent_log_clear(&book.log);
}

/* The fields of a slot do not run into each other. */
static void the_largest_frame_fits_and_none_above(struct kunit *test)
{
	const u64 top = (1ULL << EXTENT_PFN_BITS) - 1;
	struct book book;

	if (BITS_PER_LONG == 64) {
		KUNIT_EXPECT_TRUE(test, extent_fits(top, 1));
		KUNIT_EXPECT_FALSE(test, extent_fits(top, 2));
		KUNIT_EXPECT_FALSE(test, extent_fits(top + 1, 1));
		KUNIT_EXPECT_TRUE(test, extent_fits(top - EXTENT_MAX_PAGES + 1,
						    EXTENT_MAX_PAGES));

		begin(&book, 0);
		append(test, &book, top - EXTENT_MAX_PAGES + 1, EXTENT_MAX_PAGES,
		       EXTENT_DEVICE);
		append(test, &book, top, 1, EXTENT_PAGES);
		expect_extent(test, &book.log, 0, (struct extent){
			0, top - EXTENT_MAX_PAGES + 1, EXTENT_MAX_PAGES,
			EXTENT_DEVICE });
		expect_extent(test, &book.log, 1, (struct extent){
			EXTENT_MAX_PAGES, top, 1, EXTENT_PAGES });
		extent_log_clear(&book.log);
	}
	KUNIT_EXPECT_FALSE(test, extent_fits(0, EXTENT_MAX_PAGES + 1));
	KUNIT_EXPECT_TRUE(test, extent_fits(0, EXTENT_MAX_PAGES));
}

static void pins_are_counted_by_block(struct kunit *test)
{
	static const struct {
		struct extent extent;
		unsigned long pins;
	} cases[] = {
		{ { 0, 512, 512, EXTENT_PAGES }, 512 },
		{ { 0, 512, 512, 9 }, 1 },
		{ { 0, 512, 1024, 9 }, 2 },
		{ { 0, 700, 10, 9 }, 1 },
		{ { 0, 1023, 2, 9 }, 2 },
		{ { 0, 0, 100, EXTENT_OPAQUE }, 100 },
		{ { 0, 512, 512, EXTENT_DEVICE }, 0 },
		{ { 0, 1, 1, EXTENT_MAX_ORDER }, 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ(test, extent_pins(&cases[i].extent), cases[i].pins);
}

static void blocks_merge_only_where_they_are_whole(struct kunit *test)
{
	struct book book;

	begin(&book, 0);
	append(test, &book, 512, 512, 9);
	append(test, &book, 1024, 100, 9);	/* begins a block: merges */
	append(test, &book, 1124, 10, 9);	/* the same block's second pin */
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), 2U);
	expect_extent(test, &book.log, 0, (struct extent){ 0, 512, 612, 9 });
	expect_extent(test, &book.log, 1, (struct extent){ 612, 1124, 10, 9 });
	extent_log_clear(&book.log);
}

static void a_scattered_window_goes_opaque(struct kunit *test)
{
	struct book book;

	if (!CAN_GO_OPAQUE)
		kunit_skip(test, "pages are too large");

	begin(&book, 16 * WINDOW_BYTES);
	append_scattered(test, &book, 1000, EXTENT_WINDOW_SLOTS);
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), EXTENT_WINDOW_SLOTS);
	append_scattered(test, &book, 5000, 1);
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), 1U);
	append_scattered(test, &book, 9000, WINDOW - EXTENT_WINDOW_SLOTS - 1);
	expect_extent(test, &book.log, 0, (struct extent){ 0, 0, WINDOW, EXTENT_OPAQUE });

	/* The next window gets its chance. */
	append(test, &book, 1UL << 20, WINDOW, EXTENT_PAGES);
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), 2U);
	expect_extent(test, &book.log, 1, (struct extent){
		WINDOW, 1UL << 20, WINDOW, EXTENT_PAGES });
	extent_log_clear(&book.log);
}

static void opaque_windows_join(struct kunit *test)
{
	struct book book;

	if (!CAN_GO_OPAQUE)
		kunit_skip(test, "pages are too large");

	begin(&book, 0);
	append_scattered(test, &book, 1000, 20 * WINDOW);
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), 1U);
	expect_extent(test, &book.log, 0, (struct extent){
		0, 0, 20 * WINDOW, EXTENT_OPAQUE });
	extent_log_clear(&book.log);
}

/* A leaf may reach over no bound of what is read back in one piece. */
static void a_run_into_an_opaque_window_is_cut_at_its_bound(struct kunit *test)
{
	const unsigned long head = WINDOW + 10;
	struct book book;

	if (!CAN_GO_OPAQUE)
		kunit_skip(test, "pages are too large");

	begin(&book, 0);
	append(test, &book, 1UL << 20, head, EXTENT_PAGES);
	append_scattered(test, &book, 1000, EXTENT_WINDOW_SLOTS + 1);
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), 2U);
	expect_extent(test, &book.log, 0, (struct extent){
		0, 1UL << 20, WINDOW, EXTENT_PAGES });
	expect_extent(test, &book.log, 1, (struct extent){
		WINDOW, 0, 10 + EXTENT_WINDOW_SLOTS + 1, EXTENT_OPAQUE });

	/* And a run out of it. */
	append(test, &book, 1UL << 22, WINDOW, EXTENT_PAGES);
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), 3U);
	expect_extent(test, &book.log, 1, (struct extent){
		WINDOW, 0, WINDOW, EXTENT_OPAQUE });
	expect_extent(test, &book.log, 2, (struct extent){
		2 * WINDOW, (1UL << 22) + WINDOW - 10 - EXTENT_WINDOW_SLOTS - 1,
		10 + EXTENT_WINDOW_SLOTS + 1, EXTENT_PAGES });
	extent_log_clear(&book.log);
}

static void windows_are_those_of_iova(struct kunit *test)
{
	const unsigned long into = WINDOW - 8;
	struct book book;

	if (!CAN_GO_OPAQUE)
		kunit_skip(test, "pages are too large");

	/* Eight pages in the first window, too few for it to go opaque. */
	begin(&book, 5 * WINDOW_BYTES + into * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, extent_window_room(book.iova), 8UL);
	KUNIT_EXPECT_EQ(test, extent_window_room(book.iova + 8 * PAGE_SIZE), WINDOW);
	append_scattered(test, &book, 1000, 8 + EXTENT_WINDOW_SLOTS + 1);
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), 9U);
	expect_extent(test, &book.log, 8, (struct extent){
		8, 0, EXTENT_WINDOW_SLOTS + 1, EXTENT_OPAQUE });
	extent_log_clear(&book.log);
}

static void device_frames_never_go_opaque(struct kunit *test)
{
	struct book book;
	unsigned long i;

	begin(&book, 0);
	for (i = 0; i < WINDOW; i++)
		append(test, &book, 1000 + 2 * i, 1,
		       i % 2 ? EXTENT_DEVICE : EXTENT_PAGES);
	KUNIT_EXPECT_EQ(test, (unsigned long)count_extents(&book.log), WINDOW);
	extent_log_clear(&book.log);
}

/* What was reserved or given up is not kept for the life of a mapping. */
static void a_finished_log_has_no_spares(struct kunit *test)
{
	struct book book;

	if (!CAN_GO_OPAQUE)
		kunit_skip(test, "pages are too large");

	begin(&book, 0);
	append_scattered(test, &book, 1000, WINDOW);
	KUNIT_EXPECT_GT(test, extent_log_bytes(&book.log), (size_t)64);
	extent_writer_finish(&book.writer);
	KUNIT_EXPECT_EQ(test, extent_log_bytes(&book.log), (size_t)64);
	append_scattered(test, &book, 1000, 9);
	KUNIT_EXPECT_EQ(test, count_extents(&book.log), 10U);
	extent_log_clear(&book.log);
}

/* 512 bytes for 2 MiB, whatever the memory is like. */
static void a_log_stays_within_its_budget(struct kunit *test)
{
	const unsigned long nr_windows = 256;
	const unsigned long nr = min_t(unsigned long, WINDOW, EXTENT_WINDOW_SLOTS);
	struct book book;
	unsigned long w;

	/* The worst: each window is one run short of going opaque. */
	begin(&book, 0);
	for (w = 0; w < nr_windows; w++) {
		append_scattered(test, &book, 1000, nr - 1);
		append(test, &book, 1UL << 20, WINDOW - nr + 1, EXTENT_PAGES);
	}
	KUNIT_EXPECT_EQ(test, extent_log_pages(&book.log), nr_windows * WINDOW);
	KUNIT_EXPECT_LE(test, extent_log_bytes(&book.log), (size_t)(nr_windows * 512));
	extent_log_clear(&book.log);
}

static void small_logs_allocate_nothing(struct kunit *test)
{
	struct book book;

	begin(&book, 0);
	append(test, &book, 1, 1, EXTENT_PAGES);
	KUNIT_EXPECT_EQ(test, extent_log_bytes(&book.log), (size_t)0);
	append(test, &book, 3, 1, EXTENT_PAGES);
	KUNIT_EXPECT_EQ(test, extent_log_bytes(&book.log), (size_t)64);
	extent_log_clear(&book.log);
	KUNIT_EXPECT_EQ(test, extent_log_bytes(&book.log), (size_t)0);
}

/* The model: for each page its frame and kind. */
struct model {
	unsigned long npages;
	unsigned long phase;
	struct {
		unsigned long pfn;
		unsigned int kind;
	} page[];
};

#define MODEL_PAGES	(24 * EXTENT_WINDOW_PAGES)
#define MODEL_ROUNDS	30

static unsigned long random_run(struct rnd_state *rnd, unsigned int mood)
{
	u32 dice = prandom_u32_state(rnd);

	switch (mood) {
	case 0:		/* scattered */
		return 1 + dice % 2;
	case 1:		/* pieces */
		return 1 + dice % 20;
	case 2:		/* large */
		return 1 + dice % (2 * EXTENT_WINDOW_PAGES);
	default:	/* anything */
		return 1 + (dice >> 8) % (1U << (dice % 11));
	}
}

static unsigned int random_kind(struct rnd_state *rnd, unsigned int mood)
{
	if (mood == 0 || prandom_u32_state(rnd) % 16)
		return EXTENT_PAGES;
	return EXTENT_DEVICE;
}

static void fill_both(struct kunit *test, struct book *book,
		      struct model *model, struct rnd_state *rnd)
{
	unsigned int mood = 0;
	unsigned long pfn = 1;

	while (model->npages < MODEL_PAGES) {
		unsigned long n, i;
		unsigned int kind;

		if (prandom_u32_state(rnd) % 64 == 0)
			mood = prandom_u32_state(rnd) % 4;

		/* Now and then the next run goes on where the last ended. */
		if (prandom_u32_state(rnd) % 4)
			pfn = 1 + prandom_u32_state(rnd) % (1U << 30);
		kind = random_kind(rnd, mood);
		n = min(random_run(rnd, mood), MODEL_PAGES - model->npages);
		append(test, book, pfn, n, kind);
		/* Another writer may come at any time. */
		if (prandom_u32_state(rnd) % 32 == 0)
			extent_writer_init(&book->writer, &book->log, book->iova);
		for (i = 0; i < n; i++) {
			model->page[model->npages + i].pfn = pfn + i;
			model->page[model->npages + i].kind = kind;
		}
		model->npages += n;
		pfn += n;
	}
}

static bool page_agrees(const struct model *model, const struct extent *extent,
			unsigned long i)
{
	unsigned long index = extent->index + i;

	if (index >= model->npages)
		return false;
	if (extent->kind == EXTENT_OPAQUE)
		return model->page[index].kind == EXTENT_PAGES;
	return model->page[index].kind == extent->kind &&
	       model->page[index].pfn == extent->pfn + i;
}

/* May an opaque piece begin here, so that no leaf of the IOMMU is cut? */
static bool is_safe_bound(const struct model *model, unsigned long index)
{
	return !index || index == model->npages ||
	       (model->phase + index) % WINDOW == 0 ||
	       model->page[index].kind != model->page[index - 1].kind;
}

static void expect_model(struct kunit *test, const struct extent_log *log,
			 const struct model *model)
{
	struct extent_iter iter;
	unsigned long next = 0, counted = 0, i;

	extent_iter_init(&iter, log);
	while (extent_iter_next(&iter)) {
		KUNIT_ASSERT_EQ(test, iter.now.index, next);
		for (i = 0; i < iter.now.npages; i++)
			if (!page_agrees(model, &iter.now, i)) {
				KUNIT_FAIL(test, "page %lu differs", next + i);
				return;
			}
		next += iter.now.npages;
		if (iter.now.kind != EXTENT_DEVICE)
			counted += iter.now.npages;

		if (iter.now.kind == EXTENT_OPAQUE) {
			KUNIT_ASSERT_TRUE(test, is_safe_bound(model, iter.now.index));
			KUNIT_ASSERT_TRUE(test, is_safe_bound(model, next));
		}
	}
	KUNIT_EXPECT_EQ(test, next, model->npages);
	KUNIT_EXPECT_EQ(test, counted, extent_log_counted(log));
	KUNIT_EXPECT_EQ(test, extent_log_pages(log), model->npages);
}

static void random_logs_agree_with_an_array(struct kunit *test)
{
	struct book book;
	struct rnd_state rnd;
	struct model *model;
	unsigned int round;

	model = kvzalloc(struct_size(model, page, MODEL_PAGES), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model);

	prandom_seed_state(&rnd, 0xe47e);
	for (round = 0; round < MODEL_ROUNDS; round++) {
		unsigned long first = prandom_u32_state(&rnd) % WINDOW;

		model->npages = 0;
		model->phase = first;
		begin(&book, 3 * WINDOW_BYTES + first * PAGE_SIZE);
		fill_both(test, &book, model, &rnd);
		expect_model(test, &book.log, model);

		/* Once more in the same log: the detach and attach of a domain. */
		extent_log_clear(&book.log);
		KUNIT_ASSERT_EQ(test, extent_log_bytes(&book.log), (size_t)0);
		extent_writer_init(&book.writer, &book.log, book.iova);
		model->npages = 0;
		fill_both(test, &book, model, &rnd);
		expect_model(test, &book.log, model);
		extent_log_clear(&book.log);
		if (READ_ONCE(test->status) == KUNIT_FAILURE)
			break;
	}
	kvfree(model);
}

static struct kunit_case type1_extent_cases[] = {
	KUNIT_CASE(an_empty_log_has_no_extents),
	KUNIT_CASE(runs_that_follow_each_other_merge),
	KUNIT_CASE(a_long_run_takes_another_slot),
	KUNIT_CASE(the_largest_frame_fits_and_none_above),
	KUNIT_CASE(pins_are_counted_by_block),
	KUNIT_CASE(blocks_merge_only_where_they_are_whole),
	KUNIT_CASE(a_scattered_window_goes_opaque),
	KUNIT_CASE(opaque_windows_join),
	KUNIT_CASE(a_run_into_an_opaque_window_is_cut_at_its_bound),
	KUNIT_CASE(windows_are_those_of_iova),
	KUNIT_CASE(device_frames_never_go_opaque),
	KUNIT_CASE(a_finished_log_has_no_spares),
	KUNIT_CASE(a_log_stays_within_its_budget),
	KUNIT_CASE(small_logs_allocate_nothing),
	KUNIT_CASE(random_logs_agree_with_an_array),
	{}
};

static struct kunit_suite type1_extent_suite = {
	.name = "vfio_type1_extent",
	.test_cases = type1_extent_cases,
};

kunit_test_suite(type1_extent_suite);

MODULE_LICENSE("GPL");
