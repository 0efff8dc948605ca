// SPDX-License-Identifier: GPL-2.0-only
/* What a device is told to write, and what its log of DMA then reports. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "vfio_emu.h"
#include "vfio_test.h"

#define NPAGES		64
/* What one page of a bitmap with a bit for each 4 KiB tells of. */
#define WINDOW		(PAGE * 8 * PAGE)

FIXTURE(log)
{
	struct vfio_dev dev;
	char *buf;
	__u64 bits;
};

static int start(int fd, __u64 iova, __u64 length)
{
	struct vfio_device_feature_dma_logging_range range = {
		.iova = iova,
		.length = length,
	};
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = PAGE,
		.num_ranges = 1,
		.ranges = (uintptr_t)&range,
	};

	return device_feature(fd, VFIO_DEVICE_FEATURE_SET |
			      VFIO_DEVICE_FEATURE_DMA_LOGGING_START, &control,
			      sizeof(control));
}

static int stop(int fd)
{
	return device_feature(fd, VFIO_DEVICE_FEATURE_SET |
			      VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, NULL, 0);
}

static int report(int fd, __u64 iova, __u64 length, __u64 page_size, void *bits)
{
	struct vfio_device_feature_dma_logging_report report = {
		.iova = iova,
		.length = length,
		.page_size = page_size,
		.bitmap = (uintptr_t)bits,
	};

	return device_feature(fd, VFIO_DEVICE_FEATURE_GET |
			      VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, &report,
			      sizeof(report));
}

FIXTURE_SETUP(log)
{
	const char *why = NULL;

	/* Once is enough, and takes long where objects are freed late. */
	if (emu_group(0) < 0)
		why = emu_load(1);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, emu_open(&self->dev, 0, VFIO_TYPE1v2_IOMMU));
	if (device_feature(self->dev.fd, VFIO_DEVICE_FEATURE_PROBE |
			   VFIO_DEVICE_FEATURE_SET |
			   VFIO_DEVICE_FEATURE_DMA_LOGGING_START, NULL, 0)) {
		vfio_dev_close(&self->dev);
		emu_unload();
		SKIP(return, "the kernel logs no DMA");
	}
	self->buf = pages(NPAGES * PAGE);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, type1_map(self->dev.container, IOVA_BASE, self->buf,
			       NPAGES * PAGE, MAP_RW));
	ASSERT_EQ(0, start(self->dev.fd, IOVA_BASE, NPAGES * PAGE));
}

FIXTURE_TEARDOWN(log)
{
	vfio_dev_close(&self->dev);
}

/* Page @nth of the memory, so many bytes into it. */
#define AT(nth, into)	(IOVA_BASE + (nth) * PAGE + (into))
#define WRITE(iova, len) emu_rw(self->dev.fd, iova, self->buf, len, VFIO_EMU_WRITE)
#define REPORT(bits) \
	report(self->dev.fd, IOVA_BASE, NPAGES * PAGE, PAGE, bits)
#define BIT(n)		(1ULL << (n))

TEST_F(log, what_was_written_is_reported_once)
{
	ASSERT_EQ(0, WRITE(AT(1, 8), 1));
	ASSERT_EQ(0, WRITE(AT(5, PAGE - 4), 8));
	ASSERT_EQ(0, WRITE(AT(NPAGES - 1, PAGE - 1), 1));
	/* By pinned pages, too. */
	ASSERT_EQ(1, emu_pin(self->dev.fd, AT(9, 0), 1, VFIO_EMU_WRITE, NULL));
	ASSERT_EQ(0, emu_access(self->dev.fd, AT(9, 0), self->buf, 4,
				VFIO_EMU_WRITE));
	ASSERT_EQ(0, REPORT(&self->bits));
	EXPECT_EQ(BIT(1) | BIT(5) | BIT(6) | BIT(9) | BIT(NPAGES - 1), self->bits);
	self->bits = 0;
	ASSERT_EQ(0, REPORT(&self->bits));
	EXPECT_EQ(0, self->bits);
	ASSERT_EQ(0, WRITE(AT(5, 0), 1));
	ASSERT_EQ(0, REPORT(&self->bits));
	EXPECT_EQ(BIT(5), self->bits);
}

TEST_F(log, what_was_read_or_refused_is_not_reported)
{
	ASSERT_EQ(0, emu_rw(self->dev.fd, AT(3, 0), self->buf, PAGE, 0));
	EXPECT_GT(0, WRITE(AT(NPAGES, 0), 1));
	EXPECT_GT(0, emu_access(self->dev.fd, AT(4, 0), self->buf, 4,
				VFIO_EMU_WRITE));
	ASSERT_EQ(0, REPORT(&self->bits));
	EXPECT_EQ(0, self->bits);
}

TEST_F(log, bits_are_added_to_those_of_the_user)
{
	self->bits = BIT(40);
	ASSERT_EQ(0, WRITE(AT(2, 0), 1));
	ASSERT_EQ(0, REPORT(&self->bits));
	EXPECT_EQ(BIT(40) | BIT(2), self->bits);
}

TEST_F(log, a_part_reports_and_forgets_that_part_only)
{
	ASSERT_EQ(0, WRITE(AT(2, 0), 1));
	ASSERT_EQ(0, WRITE(AT(7, 0), 1));
	ASSERT_EQ(0, WRITE(AT(8, 0), 1));
	ASSERT_EQ(0, report(self->dev.fd, AT(4, 0), 4 * PAGE, PAGE, &self->bits));
	EXPECT_EQ(BIT(3), self->bits);
	self->bits = 0;
	ASSERT_EQ(0, REPORT(&self->bits));
	EXPECT_EQ(BIT(2) | BIT(8), self->bits);
}

TEST_F(log, a_bit_may_stand_for_several_pages)
{
	ASSERT_EQ(0, WRITE(AT(1, 0), 1));
	ASSERT_EQ(0, WRITE(AT(4, 0), 1));
	ASSERT_EQ(0, WRITE(AT(5, 0), 1));
	ASSERT_EQ(0, report(self->dev.fd, IOVA_BASE, NPAGES * PAGE, 4 * PAGE,
			    &self->bits));
	EXPECT_EQ(BIT(0) | BIT(1), self->bits);
}

TEST_F(log, stopping_forgets)
{
	ASSERT_EQ(0, WRITE(AT(1, 0), 1));
	ASSERT_EQ(0, stop(self->dev.fd));
	EXPECT_EQ(-EINVAL, REPORT(&self->bits));
	ASSERT_EQ(0, WRITE(AT(2, 0), 1));
	ASSERT_EQ(0, start(self->dev.fd, IOVA_BASE, NPAGES * PAGE));
	EXPECT_EQ(-EBUSY, start(self->dev.fd, IOVA_BASE, NPAGES * PAGE));
	ASSERT_EQ(0, REPORT(&self->bits));
	EXPECT_EQ(0, self->bits);
}

/* G11: at both sides of where the kernel takes the next page of the bitmap. */
TEST_F(log, G11_long_reports_lose_nothing_at_their_seams)
{
	__u8 *bits = pages(4 * PAGE), *unaligned;
	unsigned int seam;
	__u64 iova, bit;

	ASSERT_NE(NULL, bits);
	memset(bits, 0, 4 * PAGE);
	/* Eight bytes before the end of a page: windows end there, too. */
	unaligned = bits + PAGE - 8;
	for (seam = 1; seam <= 2; seam++) {
		iova = seam * WINDOW - PAGE;
		if (iova < IOVA_BASE)
			continue;
		ASSERT_EQ(0, type1_map(self->dev.container, iova, self->buf,
				       2 * PAGE, MAP_RW));
		ASSERT_EQ(0, WRITE(iova + PAGE - 1, 2));
	}
	ASSERT_EQ(0, type1_map(self->dev.container, 2 * WINDOW + 63 * PAGE,
			       self->buf, PAGE, MAP_RW));
	ASSERT_EQ(0, WRITE(2 * WINDOW + 63 * PAGE, 1));
	ASSERT_EQ(0, report(self->dev.fd, 0, 2 * WINDOW + 64 * PAGE, PAGE,
			    unaligned));
	for (bit = 0; bit < 2 * WINDOW / PAGE + 64; bit++) {
		bool want = bit == WINDOW / PAGE - 1 || bit == WINDOW / PAGE ||
			    bit == 2 * WINDOW / PAGE - 1 ||
			    bit == 2 * WINDOW / PAGE ||
			    bit == 2 * WINDOW / PAGE + 63;

		ASSERT_EQ(want, !!(unaligned[bit / 8] & 1 << bit % 8))
			TH_LOG("bit %llu", bit);
	}
	/* Nothing before or behind. */
	EXPECT_EQ(0, unaligned[-1]);
	EXPECT_EQ(0, unaligned[(2 * WINDOW / PAGE + 64) / 8]);
}

/* The last one: those before left the module for the next. */
TEST_F(log, a_device_that_logs_is_in_use_until_it_is_closed)
{
	EXPECT_NE(0, system("rmmod vfio_emu 2>/dev/null"));
	vfio_dev_close(&self->dev);
	EXPECT_EQ(0, system("rmmod vfio_emu"));
}

TEST_HARNESS_MAIN
