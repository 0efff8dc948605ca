// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI and MSI-X: vectors of the device that signal eventfds.
 *
 * The first SET_IRQS decides how many vectors the device gets. Behind them a
 * vector exists once it is armed with an eventfd; where the platform can, MSI-X
 * vectors beyond the first ones are allocated as they are armed and stay until
 * the index is torn down.
 *
 * The MSI-X table is in a BAR, so all that touches it (allocating, requesting,
 * freeing) needs a device that is awake and decodes memory, whatever the user
 * has done to it. table_begin() sees to that, table_end() gives the user's
 * state back. KVM may be called back when a vector comes or goes; that happens
 * outside this pair, because it is not ours to say what KVM waits for.
 */
#include <linux/eventfd.h>
#include <linux/irqbypass.h>
#include <linux/log2.h>
#include <linux/msi.h>
#include <linux/slab.h>

#include "private.h"

/* An armed vector, in vdev->ctx; irq_lock. */
struct msi_vector {
	int irq;
	struct eventfd_ctx *trigger;
	char *name;
	struct irq_bypass_producer producer;
	bool is_producer;	/* registration succeeded */
};

/* The user's state while the table is accessible. */
struct table_state {
	u16 cmd;
	pci_power_t power;
};

static struct table_state table_begin(struct vfio_pci_core_device *vdev)
{
	struct table_state user;

	/* What was mapped while decode is on stays valid: nothing to zap. */
	down_write(&vdev->memory_lock);
	user.power = vdev->pdev->current_state;
	if (vfio_pci_is_asleep(user.power))
		vfio_pci_set_power_state(vdev, PCI_D0);
	user.cmd = vfio_pci_memory_force(vdev);
	return user;
}

static void table_end(struct vfio_pci_core_device *vdev,
		      struct table_state user)
{
	vfio_pci_memory_restore(vdev, user.cmd);
	if (vfio_pci_is_asleep(user.power))
		vfio_pci_set_power_state(vdev, user.power);
	up_write(&vdev->memory_lock);
}

/* Read the table's place once; a table that is nowhere is no table. */
int vfio_pci_msix_probe(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	u8 cap = pdev->msix_cap;
	u32 table;
	u16 flags;

	vdev->msix_size = 0;
	vdev->has_dyn_msix = false;
	if (!cap)
		return 0;

	pci_read_config_word(pdev, cap + PCI_MSIX_FLAGS, &flags);
	pci_read_config_dword(pdev, cap + PCI_MSIX_TABLE, &table);
	if ((table & PCI_MSIX_TABLE_BIR) >= PCI_STD_NUM_BARS)
		return 0;

	vdev->msix_bar = table & PCI_MSIX_TABLE_BIR;
	vdev->msix_offset = table & PCI_MSIX_TABLE_OFFSET;
	vdev->msix_size = ((flags & PCI_MSIX_FLAGS_QSIZE) + 1) *
			  PCI_MSIX_ENTRY_SIZE;
	vdev->has_dyn_msix = pci_msix_can_alloc_dyn(pdev);
	return 0;
}

static irqreturn_t msi_handler(int irq, void *trigger)
{
	eventfd_signal(trigger);
	return IRQ_HANDLED;
}

/*
 * Return: 0, an errno (-ERANGE where none is wanted), or the number of vectors
 * that there are where fewer than wanted; then nothing is enabled.
 */
static int msi_enable(struct vfio_pci_core_device *vdev, unsigned int index,
		      unsigned int count)
{
	bool is_msix = index == VFIO_PCI_MSIX_IRQ_INDEX;
	struct pci_dev *pdev = vdev->pdev;
	struct table_state user;
	int ret;

	vfio_pci_intx_allow_msi(vdev);
	user = table_begin(vdev);
	ret = pci_alloc_irq_vectors(pdev, 1, count,
				    is_msix ? PCI_IRQ_MSIX : PCI_IRQ_MSI);
	if (ret > 0 && ret < count)
		pci_free_irq_vectors(pdev);
	table_end(vdev, user);

	if (ret < 0 || ret < count) {
		vfio_pci_intx_sync(vdev);
		return ret;
	}

	vdev->irq_type = index;
	if (!is_msix)
		vdev->msi_qmax = order_base_2(count);
	return 0;
}

/* The host interrupt of a vector, allocated where that is possible. */
static int find_irq(struct vfio_pci_core_device *vdev, unsigned int vector)
{
	struct table_state user;
	struct msi_map map;
	int irq;

	irq = pci_irq_vector(vdev->pdev, vector);
	if (irq >= 0)
		return irq;
	if (vdev->irq_type != VFIO_PCI_MSIX_IRQ_INDEX || !vdev->has_dyn_msix)
		return -EINVAL;

	user = table_begin(vdev);
	map = pci_msix_alloc_irq_at(vdev->pdev, vector, NULL);
	table_end(vdev, user);
	return map.index < 0 ? map.index : map.virq;
}

static int request_vector(struct vfio_pci_core_device *vdev,
			  struct msi_vector *vec)
{
	struct table_state user = table_begin(vdev);
	int ret;

	/*
	 * A reset that the kernel did not do may have emptied the table while
	 * the kernel believes its copy.
	 */
	if (vdev->irq_type == VFIO_PCI_MSIX_IRQ_INDEX) {
		struct msi_msg msg;

		get_cached_msi_msg(vec->irq, &msg);
		pci_write_msi_msg(vec->irq, &msg);
	}

	ret = request_irq(vec->irq, msi_handler, 0, vec->name, vec->trigger);
	table_end(vdev, user);
	return ret;
}

static void free_vector(struct msi_vector *vec)
{
	if (vec->trigger)
		eventfd_ctx_put(vec->trigger);
	kfree(vec->name);
	kfree(vec);
}

static struct msi_vector *make_vector(struct vfio_pci_core_device *vdev,
				      unsigned int vector, int fd)
{
	bool is_msix = vdev->irq_type == VFIO_PCI_MSIX_IRQ_INDEX;
	struct eventfd_ctx *trigger;
	struct msi_vector *vec;
	int ret = -ENOMEM;

	vec = kzalloc(sizeof(*vec), GFP_KERNEL_ACCOUNT);
	if (!vec)
		return ERR_PTR(-ENOMEM);

	vec->name = kasprintf(GFP_KERNEL_ACCOUNT, "vfio-msi%s[%u](%s)",
			      is_msix ? "x" : "", vector,
			      pci_name(vdev->pdev));
	if (!vec->name)
		goto out_free;

	trigger = eventfd_ctx_fdget(fd);
	if (IS_ERR(trigger)) {
		ret = PTR_ERR(trigger);
		goto out_free;
	}
	vec->trigger = trigger;

	ret = find_irq(vdev, vector);
	if (ret < 0)
		goto out_free;
	vec->irq = ret;
	return vec;

out_free:
	free_vector(vec);
	return ERR_PTR(ret);
}

/* Let KVM deliver the interrupt without us, where it can. */
static void offer_bypass(struct vfio_pci_core_device *vdev,
			 struct msi_vector *vec)
{
	int ret;

	vec->producer.token = vec->trigger;
	vec->producer.irq = vec->irq;
	ret = irq_bypass_register_producer(&vec->producer);
	vec->is_producer = !ret;
	if (ret)
		pci_dbg(vdev->pdev, "%s: no interrupt bypass: %d\n", vec->name,
			ret);
}

static int arm_vector(struct vfio_pci_core_device *vdev, unsigned int vector,
		      int fd)
{
	struct msi_vector *vec;
	int ret;

	vec = make_vector(vdev, vector, fd);
	if (IS_ERR(vec))
		return PTR_ERR(vec);

	ret = xa_insert(&vdev->ctx, vector, vec, GFP_KERNEL_ACCOUNT);
	if (ret)
		goto out_free;

	ret = request_vector(vdev, vec);
	if (ret)
		goto out_erase;

	offer_bypass(vdev, vec);
	return 0;

out_erase:
	xa_erase(&vdev->ctx, vector);
out_free:
	free_vector(vec);
	return ret;
}

static void disarm_vector(struct vfio_pci_core_device *vdev,
			  unsigned int vector)
{
	struct msi_vector *vec = xa_erase(&vdev->ctx, vector);
	struct table_state user;

	if (!vec)
		return;

	/* KVM lets go of the interrupt before it is freed. */
	if (vec->is_producer)
		irq_bypass_unregister_producer(&vec->producer);

	user = table_begin(vdev);
	free_irq(vec->irq, vec->trigger);
	table_end(vdev, user);
	free_vector(vec);
}

/* All or none of the block: where one fails, all are disarmed. */
static int set_block(struct vfio_pci_core_device *vdev, unsigned int start,
		     unsigned int count, const s32 *fds)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < count && !ret; i++) {
		disarm_vector(vdev, start + i);
		if (fds[i] >= 0)
			ret = arm_vector(vdev, start + i, fds[i]);
	}

	if (ret)
		for (i = 0; i < count; i++)
			disarm_vector(vdev, start + i);
	return ret;
}

void vfio_pci_msi_disable(struct vfio_pci_core_device *vdev)
{
	struct table_state user;
	struct msi_vector *vec;
	unsigned long vector;

	lockdep_assert_held(&vdev->irq_lock);

	xa_for_each(&vdev->ctx, vector, vec)
		disarm_vector(vdev, vector);

	user = table_begin(vdev);
	pci_free_irq_vectors(vdev->pdev);
	table_end(vdev, user);

	/* The kernel turns INTx back on, and nobody listens to it. */
	vfio_pci_intx_sync(vdev);
	vdev->msi_qmax = 0;
	vdev->irq_type = VFIO_PCI_NUM_IRQS;
}

static int set_eventfds(struct vfio_pci_core_device *vdev,
			const struct vfio_pci_irq_request *req)
{
	int ret;

	/* The range was checked against the vectors there are: no overflow. */
	if (vdev->irq_type == req->index)
		return set_block(vdev, req->start, req->count, req->data);

	ret = msi_enable(vdev, req->index, req->start + req->count);
	if (ret)
		return ret;

	ret = set_block(vdev, req->start, req->count, req->data);
	if (ret)
		vfio_pci_msi_disable(vdev);
	return ret;
}

/* Signal what is armed, as if the device had. */
static void loop_back(struct vfio_pci_core_device *vdev,
		      const struct vfio_pci_irq_request *req)
{
	const u8 *wanted = req->data;
	unsigned int i;

	for (i = 0; i < req->count; i++) {
		struct msi_vector *vec = xa_load(&vdev->ctx, req->start + i);

		if (vec && (!wanted || wanted[i]))
			eventfd_signal(vec->trigger);
	}
}

int vfio_pci_msi_set_trigger(struct vfio_pci_core_device *vdev,
			     const struct vfio_pci_irq_request *req)
{
	lockdep_assert_held(&vdev->irq_lock);

	if (vdev->irq_type == req->index && !req->count &&
	    req->data_type == VFIO_IRQ_SET_DATA_NONE) {
		vfio_pci_msi_disable(vdev);
		return 0;
	}

	if (vdev->irq_type != req->index && vdev->irq_type != VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	if (req->data_type == VFIO_IRQ_SET_DATA_EVENTFD)
		return set_eventfds(vdev, req);
	if (vdev->irq_type != req->index)
		return -EINVAL;

	loop_back(vdev, req);
	return 0;
}
