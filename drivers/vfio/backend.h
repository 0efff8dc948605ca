/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface between a container and the IOMMU backends behind it.
 *
 * Private to drivers/vfio: backends find it by an include path.
 */
#ifndef VFIO_BACKEND_H
#define VFIO_BACKEND_H

#include <linux/list.h>
#include <linux/types.h>

struct iommu_domain;
struct iommu_group;
struct module;
struct page;
struct seq_file;
struct vfio_device;

/**
 * enum vfio_group_type - Who fences the DMA of a group's devices
 * @VFIO_IOMMU: an IOMMU
 * @VFIO_EMULATED_IOMMU: the driver, which pins what its device may reach
 * @VFIO_NO_IOMMU: nobody; needs CAP_SYS_RAWIO and taints the kernel
 */
enum vfio_group_type {
	VFIO_IOMMU,
	VFIO_EMULATED_IOMMU,
	VFIO_NO_IOMMU,
};

/**
 * struct vfio_iommu_driver_ops - What an IOMMU backend does for a container
 *
 * Every call but @open has the pointer that @open returned as its first
 * argument. @attach_group and @detach_group run with the locks of the group and
 * of the container held, so they must not wait for users. All others run without
 * the container's lock, also at the same time as those two; the state is there
 * until the last of them has returned.
 *
 * @name: for messages
 * @owner: module that a container with this backend keeps loaded
 * @open: make the backend's state; arg is the type given to VFIO_SET_IOMMU.
 *	Returns it or ERR_PTR().
 * @release: free the state; every group was detached before, no other call is
 *	running and none will come
 * @ioctl: VFIO_CHECK_EXTENSION (also before @open, then with NULL) and every
 *	container ioctl the core does not know
 * @attach_group: let a group's devices reach the container's mappings
 * @detach_group: undo @attach_group; cannot fail
 * @populate: bring what was mapped before within reach of the groups that are
 *	attached; called after @attach_group with no lock held, as it may fault user
 *	memory. When it fails the group that came last is detached. Optional.
 * @pin_pages: pin npage pages from iova on for a device of an emulated group,
 *	fill pages; returns their number or an errno. Optional.
 * @unpin_pages: undo @pin_pages. Optional.
 * @register_device: a device with ->dma_unmap wants to be told of unmaps; the
 *	lock of the device's set is held. Optional.
 * @unregister_device: undo @register_device; no ->dma_unmap of the device runs
 *	when it returns. The same lock is held. There when @register_device is.
 * @dma_rw: copy between data and the memory behind iova. Optional.
 * @group_iommu_domain: the domain a group is attached to, or ERR_PTR().
 *	Optional.
 * @show_fdinfo: append lines to the fdinfo of the container. Optional.
 */
struct vfio_iommu_driver_ops {
	char		*name;
	struct module	*owner;
	void		*(*open)(unsigned long arg);
	void		(*release)(void *iommu_data);
	long		(*ioctl)(void *iommu_data, unsigned int cmd,
				 unsigned long arg);
	int		(*attach_group)(void *iommu_data,
					struct iommu_group *group,
					enum vfio_group_type type);
	void		(*detach_group)(void *iommu_data,
					struct iommu_group *group);
	int		(*populate)(void *iommu_data);
	int		(*pin_pages)(void *iommu_data,
				     struct iommu_group *group,
				     dma_addr_t iova, int npage, int prot,
				     struct page **pages);
	void		(*unpin_pages)(void *iommu_data, dma_addr_t iova,
				       int npage);
	void		(*register_device)(void *iommu_data,
					   struct vfio_device *device);
	void		(*unregister_device)(void *iommu_data,
					     struct vfio_device *device);
	int		(*dma_rw)(void *iommu_data, dma_addr_t iova,
				  void *data, size_t count, bool write);
	struct iommu_domain *(*group_iommu_domain)(void *iommu_data,
						   struct iommu_group *group);
	void		(*show_fdinfo)(void *iommu_data, struct seq_file *m);
};

/**
 * struct vfio_iommu_driver - A registered backend
 * @ops: its operations
 * @vfio_next: link in the registry, guarded by the registry's mutex
 */
struct vfio_iommu_driver {
	const struct vfio_iommu_driver_ops *ops;
	struct list_head vfio_next;
};

int vfio_register_iommu_driver(const struct vfio_iommu_driver_ops *ops);
void vfio_unregister_iommu_driver(const struct vfio_iommu_driver_ops *ops);

/* For container.c */
struct vfio_iommu_driver *
vfio_iommu_driver_next(struct vfio_iommu_driver *previous);

#endif /* VFIO_BACKEND_H */
