// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what each action answers for each interrupt index of a PCI
 * device, as far as it takes no hardware (P01, P02).
 */
#include <kunit/test.h>
#include <linux/pci.h>

#include "../pci/private.h"

#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define ERR	VFIO_PCI_ERR_IRQ_INDEX
#define REQ	VFIO_PCI_REQ_IRQ_INDEX
#define OFF	VFIO_PCI_NUM_IRQS

#define NONE	VFIO_IRQ_SET_DATA_NONE
#define BOOL	VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD	VFIO_IRQ_SET_DATA_EVENTFD
#define MASK	VFIO_IRQ_SET_ACTION_MASK
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER

struct irq_case {
	const char *what;
	int in_use;		/* index that is in use */
	bool is_pcie;
	u32 index, flags, count;
	s32 data;
	int ret;
};

static const struct irq_case irq_cases[] = {
	/* INTx that is not in use has nothing to mask or signal */
	{ "INTx off, mask", OFF, 1, INTX, NONE | MASK, 1, 0, -EINVAL },
	{ "INTx off, mask by bool", OFF, 1, INTX, BOOL | MASK, 1, 1, -EINVAL },
	{ "INTx off, mask by fd", OFF, 1, INTX, EVENTFD | MASK, 1, -1, -EINVAL },
	{ "INTx off, unmask", OFF, 1, INTX, NONE | UNMASK, 1, 0, -EINVAL },
	{ "INTx off, unmask by fd", OFF, 1, INTX, EVENTFD | UNMASK, 1, -1, -EINVAL },
	{ "INTx off, loopback", OFF, 1, INTX, NONE | TRIGGER, 1, 0, -EINVAL },
	{ "INTx off, loopback by bool", OFF, 1, INTX, BOOL | TRIGGER, 1, 1, -EINVAL },
	{ "INTx off, tear down", OFF, 1, INTX, NONE | TRIGGER, 0, 0, -EINVAL },
	{ "no INTx, enable", OFF, 1, INTX, EVENTFD | TRIGGER, 1, -1, -ENODEV },
	{ "INTx while MSI is on", MSI, 1, INTX, EVENTFD | TRIGGER, 1, -1, -EINVAL },
	{ "INTx while MSI-X is on", MSIX, 1, INTX, EVENTFD | TRIGGER, 1, -1, -EINVAL },
	{ "INTx down while MSI is on", MSI, 1, INTX, NONE | TRIGGER, 0, 0, -EINVAL },

	/* MSI and MSI-X */
	{ "MSI mask", OFF, 1, MSI, NONE | MASK, 1, 0, -ENOTTY },
	{ "MSI unmask", OFF, 1, MSI, NONE | UNMASK, 1, 0, -ENOTTY },
	{ "MSI mask by fd", MSI, 1, MSI, EVENTFD | MASK, 1, -1, -ENOTTY },
	{ "MSI-X mask", MSIX, 1, MSIX, NONE | MASK, 1, 0, -ENOTTY },
	{ "MSI-X unmask by bool", OFF, 1, MSIX, BOOL | UNMASK, 1, 1, -ENOTTY },
	{ "MSI off, loopback", OFF, 1, MSI, NONE | TRIGGER, 1, 0, -EINVAL },
	{ "MSI off, tear down", OFF, 1, MSI, NONE | TRIGGER, 0, 0, -EINVAL },
	{ "MSI-X off, loopback", OFF, 1, MSIX, BOOL | TRIGGER, 1, 1, -EINVAL },
	{ "MSI while INTx is on", INTX, 1, MSI, EVENTFD | TRIGGER, 1, -1, -EINVAL },
	{ "MSI-X while MSI is on", MSI, 1, MSIX, EVENTFD | TRIGGER, 1, -1, -EINVAL },
	{ "MSI while MSI-X is on", MSIX, 1, MSI, NONE | TRIGGER, 0, 0, -EINVAL },
	{ "MSI on, loopback to none", MSI, 1, MSI, NONE | TRIGGER, 1, 0, 0 },
	{ "MSI on, disarm what is not armed", MSI, 1, MSI, EVENTFD | TRIGGER, 1, -1, 0 },

	/* errors */
	{ "errors of PCI", OFF, 0, ERR, EVENTFD | TRIGGER, 1, -1, -ENOTTY },
	{ "errors of PCI, nothing", OFF, 0, ERR, NONE | TRIGGER, 0, 0, -ENOTTY },
	{ "errors, clear", OFF, 1, ERR, EVENTFD | TRIGGER, 1, -1, 0 },
	{ "errors, bad fd", OFF, 1, ERR, EVENTFD | TRIGGER, 1, -2, -EINVAL },
	{ "errors, no fd", OFF, 1, ERR, EVENTFD | TRIGGER, 0, 0, -EINVAL },
	{ "errors, no bool", OFF, 1, ERR, BOOL | TRIGGER, 0, 0, -EINVAL },
	{ "errors, unheard", OFF, 1, ERR, NONE | TRIGGER, 1, 0, -EINVAL },
	{ "errors, nothing to clear", OFF, 1, ERR, NONE | TRIGGER, 0, 0, -EINVAL },
	{ "errors, bool", OFF, 1, ERR, BOOL | TRIGGER, 1, 1, 0 },
	{ "errors, mask", OFF, 1, ERR, NONE | MASK, 1, 0, -ENOTTY },
	{ "errors, unmask", OFF, 1, ERR, NONE | UNMASK, 1, 0, -ENOTTY },

	/* requests are of any bus and go beside any index in use */
	{ "requests, clear", OFF, 0, REQ, EVENTFD | TRIGGER, 1, -1, 0 },
	{ "requests beside MSI", MSI, 0, REQ, EVENTFD | TRIGGER, 1, -1, 0 },
	{ "requests, bad fd", OFF, 0, REQ, EVENTFD | TRIGGER, 1, -77, -EINVAL },
	{ "requests, unheard", OFF, 0, REQ, NONE | TRIGGER, 1, 0, -EINVAL },
	{ "requests, bool", OFF, 0, REQ, BOOL | TRIGGER, 1, 1, 0 },
	{ "requests, mask", OFF, 0, REQ, NONE | MASK, 1, 0, -ENOTTY },

	/* one action at a time */
	{ "no action", OFF, 1, REQ, NONE, 1, 0, -ENOTTY },
	{ "two actions", OFF, 1, INTX, NONE | MASK | UNMASK, 1, 0, -ENOTTY },
	{ "all actions", OFF, 1, REQ, EVENTFD | MASK | UNMASK | TRIGGER, 1, -1, -ENOTTY },
};

static void every_action_answers_as_the_table_says(struct kunit *test)
{
	struct vfio_pci_core_device *vdev;
	struct pci_dev *pdev;
	unsigned int i;

	vdev = kunit_kzalloc(test, sizeof(*vdev), GFP_KERNEL);
	pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vdev);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	vdev->pdev = pdev;
	vdev->nointx = true;
	mutex_init(&vdev->irq_lock);
	spin_lock_init(&vdev->intx.lock);
	xa_init(&vdev->ctx);

	for (i = 0; i < ARRAY_SIZE(irq_cases); i++) {
		const struct irq_case *c = &irq_cases[i];
		struct vfio_irq_set hdr = {
			.argsz = sizeof(hdr) + sizeof(c->data),
			.flags = c->flags,
			.index = c->index,
			.count = c->count,
		};
		int ret;

		vdev->irq_type = c->in_use;
		pdev->pcie_cap = c->is_pcie ? 0x40 : 0;
		ret = vfio_pci_apply_irq_set(vdev, &hdr,
					     c->count ? &c->data : NULL);
		KUNIT_EXPECT_EQ_MSG(test, ret, c->ret, "%s", c->what);
		KUNIT_EXPECT_EQ_MSG(test, vdev->irq_type, c->in_use, "%s",
				    c->what);
	}
}

static struct kunit_case pci_irq_cases[] = {
	KUNIT_CASE(every_action_answers_as_the_table_says),
	{}
};

static struct kunit_suite pci_irq_suite = {
	.name = "vfio_pci_irq",
	.test_cases = pci_irq_cases,
};

kunit_test_suite(pci_irq_suite);
