// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver for QEMU's edu device that lives in user space.
 *
 * The device copies between bus addresses and a buffer of 4 KiB inside itself,
 * a tenth of a second a transfer. Its registers below 0x80 take accesses of
 * four bytes only. It does not check that a transfer stays in the buffer, so
 * edu_dma_begin() does.
 */
#include <errno.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "vfio_test.h"

#define REG_DMA_SRC		0x80
#define REG_DMA_DST		0x88
#define REG_DMA_COUNT		0x90
#define REG_DMA_CMD		0x98
#define DMA_START		1
#define DMA_TO_MEMORY		2
#define BUFFER			0x40000

__u32 edu_read(int fd, unsigned int reg)
{
	__u32 value;

	if (region_read(fd, VFIO_PCI_BAR0_REGION_INDEX, reg, &value, 4) != 4)
		return ~0U;
	return value;
}

int edu_write(int fd, unsigned int reg, __u32 value)
{
	ssize_t ret = region_write(fd, VFIO_PCI_BAR0_REGION_INDEX, reg, &value, 4);

	return ret == 4 ? 0 : ret < 0 ? ret : -EIO;
}

/* Lets the device decode and master the bus; 0 when it answers as edu does. */
int edu_start(int fd)
{
	int ret;

	ret = config_command(fd, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	if (ret)
		return ret;
	if ((edu_read(fd, EDU_REG_ID) & 0xffff) != 0x00ed)
		return -ENODEV;
	/* A transfer left by an earlier user would shadow the next one. */
	return edu_dma_end(fd);
}

int edu_dma_begin(int fd, __u64 iova, unsigned int at, unsigned int len,
		  bool to_memory)
{
	__u32 src = to_memory ? BUFFER + at : iova;
	__u32 dst = to_memory ? iova : BUFFER + at;

	if (iova >> 28 || !len || at + len > EDU_BUFFER_SIZE)
		return -EINVAL;
	if (edu_write(fd, REG_DMA_SRC, src) || edu_write(fd, REG_DMA_DST, dst) ||
	    edu_write(fd, REG_DMA_COUNT, len))
		return -EIO;
	return edu_write(fd, REG_DMA_CMD,
			 DMA_START | (to_memory ? DMA_TO_MEMORY : 0));
}

int edu_dma_end(int fd)
{
	return UNTIL(!(edu_read(fd, REG_DMA_CMD) & DMA_START), WAIT_MS) ?
	       0 : -ETIMEDOUT;
}

/* Memory to the device's buffer. */
int edu_load(int fd, __u64 iova, unsigned int len)
{
	int ret = edu_dma_begin(fd, iova, 0, len, false);

	return ret ? ret : edu_dma_end(fd);
}

/* The device's buffer to memory. */
int edu_store(int fd, __u64 iova, unsigned int len)
{
	int ret = edu_dma_begin(fd, iova, 0, len, true);

	return ret ? ret : edu_dma_end(fd);
}

int edu_copy(int fd, __u64 to, __u64 from, unsigned int len)
{
	int ret = edu_load(fd, from, len);

	return ret ? ret : edu_store(fd, to, len);
}
