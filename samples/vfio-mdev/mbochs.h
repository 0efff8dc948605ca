/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the mbochs sample know of each other. */
#ifndef MBOCHS_H
#define MBOCHS_H

#include <linux/kref.h>

#include "sample.h"

struct dma_buf;

/* --- mbochs_dmabuf.c: video memory, and pictures in it as dma-bufs --------- */

/**
 * struct mbochs_memory - Video memory, which dma-bufs may keep beyond its device
 * @refs: the device's and those of dma-bufs
 * @mem: from vmalloc_user()
 * @size: bytes
 */
struct mbochs_memory {
	struct kref refs;
	void *mem;
	u32 size;
};

struct mbochs_memory *mbochs_memory_new(u32 size);
void mbochs_memory_put(struct mbochs_memory *memory);
struct dma_buf *mbochs_export(struct mbochs_memory *memory, u32 start,
			      u32 size);
unsigned int mbochs_megabytes_left(void);

/* --- mbochs_display.c: the device model ------------------------------------- */

#define MBOCHS_REGISTERS	0x1000	/* bytes of BAR 2 */
#define MBOCHS_DISPI		0x500
#define MBOCHS_DISPI_COUNT	11
#define MBOCHS_EDID_MAX		256

/**
 * struct mbochs_mode - What is shown
 * @width: pixels; 0 when there is no picture
 * @height: pixels
 * @stride: bytes from line to line
 * @start: where in video memory; a multiple of PAGE_SIZE
 * @size: bytes, a multiple of PAGE_SIZE
 */
struct mbochs_mode {
	u32 width;
	u32 height;
	u32 stride;
	u32 start;
	u32 size;
};

/**
 * struct mbochs_display - The registers of a Bochs display
 * @dispi: those that set the mode
 * @link_state: whether a monitor is plugged in, VFIO_DEVICE_GFX_LINK_STATE_*
 * @edid_size: bytes of @edid that count
 * @edid: what the monitor tells of itself
 */
struct mbochs_display {
	u16 dispi[MBOCHS_DISPI_COUNT];
	u32 link_state;
	u32 edid_size;
	u8 edid[MBOCHS_EDID_MAX];
};

void mbochs_display_reset(struct mbochs_display *display, u32 memory_size);
u32 mbochs_display_read(const struct mbochs_display *display, u32 offset,
			unsigned int width);
void mbochs_display_write(struct mbochs_display *display, u32 offset,
			  unsigned int width, u32 value);
u32 mbochs_edid_read(const struct mbochs_display *display, u32 offset,
		     unsigned int width);
int mbochs_edid_write(struct mbochs_display *display, u32 offset,
		      unsigned int width, u32 value);
struct mbochs_mode mbochs_display_mode(const struct mbochs_display *display,
				       u32 memory_size);

#define MBOCHS_EDID_OFFSET	64
#define MBOCHS_EDID_REGION	(MBOCHS_EDID_OFFSET + MBOCHS_EDID_MAX)

#endif /* MBOCHS_H */
