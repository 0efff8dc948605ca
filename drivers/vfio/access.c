// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory access for devices whose driver does their DMA, handed on to the
 * backend of the container.
 *
 * No lock is needed: while a device is open its group can neither leave the
 * container nor lose the backend.
 */
#include <linux/bug.h>
#include <linux/export.h>
#include <linux/vfio.h>

#include "backend.h"
#include "container.h"
#include "group.h"

/* The backend of an open device, or NULL: only an open device may be served. */
static struct vfio_backend *get_backend(struct vfio_device *device)
{
	if (WARN_ON_ONCE(!READ_ONCE(device->open_count)))
		return NULL;
	return vfio_device_backend(device);
}

#if IS_ENABLED(CONFIG_VFIO_GROUP)
static int pin_by_backend(struct vfio_backend *backend,
			  struct vfio_device *device, dma_addr_t iova,
			  int npage, int prot, struct page **pages)
{
	if (!backend->ops->pin_pages)
		return -EINVAL;
	return backend->ops->pin_pages(backend->data,
				       device->group->iommu_group, iova, npage,
				       prot, pages);
}
#else
static int pin_by_backend(struct vfio_backend *backend,
			  struct vfio_device *device, dma_addr_t iova,
			  int npage, int prot, struct page **pages)
{
	return -EINVAL;
}
#endif

/**
 * vfio_pin_pages() - Pin the memory behind IOVAs for a device
 * @device: an open device with ->dma_unmap()
 * @iova: IOVA of the first page
 * @npage: number of pages, up to VFIO_PIN_PAGES_MAX_ENTRIES
 * @prot: IOMMU_READ and IOMMU_WRITE, as the device means to use them
 * @pages: array that takes the pages
 *
 * All pages are pinned or none. They stay pinned until vfio_unpin_pages(),
 * which ->dma_unmap() must call when it is told that they go away.
 *
 * Context: Process context, from just before ->open_device() until just after
 * ->close_device(), but not in ->dma_unmap(). Takes the backend's locks.
 * Return: @npage; -EINVAL for arguments that are empty, a device that is not open
 * or has no ->dma_unmap(), a container that cannot do it, or an IOVA that is
 * not mapped; -E2BIG for too many pages; or another errno of the backend, such
 * as -EPERM for a mapping without @prot and -ENOMEM.
 */
int vfio_pin_pages(struct vfio_device *device, dma_addr_t iova, int npage,
		   int prot, struct page **pages)
{
	struct vfio_backend *backend;

	if (!pages || npage <= 0)
		return -EINVAL;
	if (npage > VFIO_PIN_PAGES_MAX_ENTRIES)
		return -E2BIG;

	backend = get_backend(device);
	if (!backend || !device->ops->dma_unmap)
		return -EINVAL;

	return pin_by_backend(backend, device, iova, npage, prot, pages);
}
EXPORT_SYMBOL(vfio_pin_pages);

/**
 * vfio_unpin_pages() - Undo vfio_pin_pages()
 * @device: the device
 * @iova: IOVA of the first page to unpin
 * @npage: number of pages
 *
 * Context: Process context, from just before ->open_device() until just after
 * ->close_device(), also in ->dma_unmap(). Takes the backend's locks.
 */
void vfio_unpin_pages(struct vfio_device *device, dma_addr_t iova, int npage)
{
	struct vfio_backend *backend = get_backend(device);

	if (!backend || !backend->ops->unpin_pages || WARN_ON(npage <= 0))
		return;

	backend->ops->unpin_pages(backend->data, iova, npage);
}
EXPORT_SYMBOL(vfio_unpin_pages);

/**
 * vfio_dma_rw() - Copy to or from the memory behind IOVAs
 * @device: an open device
 * @iova: IOVA to begin at
 * @data: the kernel's side of the copy
 * @len: bytes to copy
 * @write: true to write to the IOVAs, false to read from them
 *
 * Context: Process context, from just before ->open_device() until just after
 * ->close_device(). May fault in user memory. Takes the backend's locks.
 * Return: 0; -EINVAL for nothing to copy, a device that is not open, a container
 * that cannot do it, or an IOVA that is not mapped; or another errno of the
 * backend, such as -EFAULT for memory that is not there.
 */
int vfio_dma_rw(struct vfio_device *device, dma_addr_t iova, void *data,
		size_t len, bool write)
{
	struct vfio_backend *backend;

	if (!data || !len)
		return -EINVAL;

	backend = get_backend(device);
	if (!backend || !backend->ops->dma_rw)
		return -EINVAL;

	return backend->ops->dma_rw(backend->data, iova, data, len, write);
}
EXPORT_SYMBOL(vfio_dma_rw);
