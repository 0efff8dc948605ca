// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver for QEMU's edu device that shows whether registers, DMA and
 * interrupts work; it runs in a guest that has the device by assignment.
 *
 * Reading the device's "check" attribute performs everything anew and returns
 * one line a step, each ending in "ok" or "failed". Reading "keep" tells whether the
 * registers still hold what writing a number to it put there.
 */
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/random.h>
#include <linux/sysfs.h>

#define EDU_IDENTIFICATION	0x00
#define EDU_LIVENESS		0x04
#define EDU_FACTORIAL		0x08
#define EDU_STATUS		0x20
#define EDU_STATUS_IRQ		BIT(7)
#define EDU_IRQ_STATUS		0x24
#define EDU_IRQ_ACK		0x64
#define EDU_IRQ_FACTORIAL	BIT(0)
#define EDU_IRQ_DMA		BIT(8)
#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_TARGET		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98
#define EDU_DMA_START		BIT(0)
#define EDU_DMA_FROM_DEVICE	BIT(1)
#define EDU_DMA_IRQ		BIT(2)
#define EDU_BUFFER		0x40000
#define EDU_BUFFER_SIZE		4096

#define EDU_TIMEOUT		(10 * HZ)

static bool intx;
module_param(intx, bool, 0444);
MODULE_PARM_DESC(intx, "Use the interrupt line in place of MSI");

struct edu_guest {
	struct pci_dev *pdev;
	void __iomem *registers;
	struct completion interrupted;
	/* What the device said last and how often, by the handler alone. */
	u32 cause;
	unsigned int interrupts;
	/* What the registers were given to keep. */
	u32 kept;
	/* One buffer each way, so that neither passes for the other. */
	void *out, *in;
	dma_addr_t out_dma, in_dma;
};

static irqreturn_t edu_guest_interrupt(int irq, void *data)
{
	struct edu_guest *edu = data;
	u32 cause = readl(edu->registers + EDU_IRQ_STATUS);

	if (!cause)
		return IRQ_NONE;

	writel(cause, edu->registers + EDU_IRQ_ACK);
	edu->cause = cause;
	edu->interrupts++;
	complete(&edu->interrupted);
	return IRQ_HANDLED;
}

static bool wait_for_interrupt(struct edu_guest *edu, u32 cause)
{
	return wait_for_completion_timeout(&edu->interrupted, EDU_TIMEOUT) &&
	       edu->cause == cause;
}

static bool compute_factorial(struct edu_guest *edu, u32 n, u32 *result)
{
	bool done;

	reinit_completion(&edu->interrupted);
	writel(EDU_STATUS_IRQ, edu->registers + EDU_STATUS);
	writel(n, edu->registers + EDU_FACTORIAL);
	done = wait_for_interrupt(edu, EDU_IRQ_FACTORIAL);
	writel(0, edu->registers + EDU_STATUS);
	*result = readl(edu->registers + EDU_FACTORIAL);
	return done;
}

static bool transfer(struct edu_guest *edu, u64 source, u64 target, u32 command)
{
	reinit_completion(&edu->interrupted);
	writeq(source, edu->registers + EDU_DMA_SOURCE);
	writeq(target, edu->registers + EDU_DMA_TARGET);
	writeq(EDU_BUFFER_SIZE, edu->registers + EDU_DMA_COUNT);
	writeq(command | EDU_DMA_START | EDU_DMA_IRQ,
	       edu->registers + EDU_DMA_COMMAND);
	return wait_for_interrupt(edu, EDU_IRQ_DMA);
}

static const char *verdict(bool ok)
{
	return ok ? "ok" : "failed";
}

static ssize_t check_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	struct edu_guest *edu = dev_get_drvdata(dev);
	unsigned int before = edu->interrupts;
	u32 identification, liveness, factorial;
	bool computed, sent, fetched;
	int len = 0;

	identification = readl(edu->registers + EDU_IDENTIFICATION);
	len += sysfs_emit_at(buf, len, "identification 0x%08x: %s\n",
			     identification,
			     verdict((identification & 0xff00ffff) == 0x010000ed));

	writel(0x12345678, edu->registers + EDU_LIVENESS);
	liveness = readl(edu->registers + EDU_LIVENESS);
	len += sysfs_emit_at(buf, len, "inverse of 0x12345678 = 0x%08x: %s\n",
			     liveness, verdict(liveness == ~0x12345678U));

	computed = compute_factorial(edu, 10, &factorial);
	len += sysfs_emit_at(buf, len, "factorial of 10 = 0x%x: %s\n", factorial,
			     verdict(computed && factorial == 3628800));

	get_random_bytes(edu->out, EDU_BUFFER_SIZE);
	memset(edu->in, 0, EDU_BUFFER_SIZE);
	sent = transfer(edu, edu->out_dma, EDU_BUFFER, 0);
	fetched = transfer(edu, EDU_BUFFER, edu->in_dma, EDU_DMA_FROM_DEVICE);
	len += sysfs_emit_at(buf, len, "DMA of %u bytes there and back: %s\n",
			     EDU_BUFFER_SIZE,
			     verdict(sent && fetched &&
				     !memcmp(edu->out, edu->in, EDU_BUFFER_SIZE)));

	len += sysfs_emit_at(buf, len, "%s interrupts counted: %u of 3: %s\n",
			     intx ? "INTx" : "MSI", edu->interrupts - before,
			     verdict(edu->interrupts - before == 3));
	return len;
}
static DEVICE_ATTR_RO(check);

static ssize_t keep_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t count)
{
	struct edu_guest *edu = dev_get_drvdata(dev);
	u32 factorial;
	int ret;

	ret = kstrtou32(buf, 0, &edu->kept);
	if (ret)
		return ret;
	if (!compute_factorial(edu, 12, &factorial))
		return -EIO;
	writel(EDU_STATUS_IRQ, edu->registers + EDU_STATUS);
	writel(~edu->kept, edu->registers + EDU_LIVENESS);
	writeq(edu->kept, edu->registers + EDU_DMA_SOURCE);
	writeq(edu->kept + 1, edu->registers + EDU_DMA_TARGET);
	writeq(edu->kept + 2, edu->registers + EDU_DMA_COUNT);
	return count;
}

static ssize_t keep_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct edu_guest *edu = dev_get_drvdata(dev);
	bool ok = readl(edu->registers + EDU_LIVENESS) == edu->kept &&
		  readl(edu->registers + EDU_FACTORIAL) == 479001600 &&
		  readl(edu->registers + EDU_STATUS) & EDU_STATUS_IRQ &&
		  readq(edu->registers + EDU_DMA_SOURCE) == edu->kept &&
		  readq(edu->registers + EDU_DMA_TARGET) == edu->kept + 1 &&
		  readq(edu->registers + EDU_DMA_COUNT) == edu->kept + 2;

	return sysfs_emit(buf, "%s\n", verdict(ok));
}
static DEVICE_ATTR_RW(keep);

static struct attribute *edu_guest_attrs[] = {
	&dev_attr_check.attr,
	&dev_attr_keep.attr,
	NULL
};
ATTRIBUTE_GROUPS(edu_guest);

static int edu_guest_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu_guest *edu;
	int ret;

	edu = devm_kzalloc(&pdev->dev, sizeof(*edu), GFP_KERNEL);
	if (!edu)
		return -ENOMEM;
	edu->pdev = pdev;
	init_completion(&edu->interrupted);
	pci_set_drvdata(pdev, edu);

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	edu->registers = pcim_iomap(pdev, 0, 0);
	if (!edu->registers)
		return -ENOMEM;

	/* The engine drops all address bits above these. */
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(28));
	if (ret)
		return ret;
	edu->out = dmam_alloc_coherent(&pdev->dev, EDU_BUFFER_SIZE,
				       &edu->out_dma, GFP_KERNEL);
	edu->in = dmam_alloc_coherent(&pdev->dev, EDU_BUFFER_SIZE,
				      &edu->in_dma, GFP_KERNEL);
	if (!edu->out || !edu->in)
		return -ENOMEM;
	pci_set_master(pdev);

	/* A cause left over from before would hold the line. */
	writel(~0U, edu->registers + EDU_IRQ_ACK);
	ret = pci_alloc_irq_vectors(pdev, 1, 1,
				    intx ? PCI_IRQ_INTX : PCI_IRQ_MSI);
	if (ret < 0)
		return ret;
	return devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0),
				edu_guest_interrupt, intx ? IRQF_SHARED : 0,
				"edu_guest", edu);
}

/*
 * Registers, vectors (pcim_enable_device() sees to those), handler and buffers
 * go by themselves; bus mastering first, so that nothing is written to those.
 */
static void edu_guest_remove(struct pci_dev *pdev)
{
	pci_clear_master(pdev);
}

static const struct pci_device_id edu_guest_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{}
};
MODULE_DEVICE_TABLE(pci, edu_guest_ids);

static struct pci_driver edu_guest_driver = {
	.name = "edu_guest",
	.id_table = edu_guest_ids,
	.probe = edu_guest_probe,
	.remove = edu_guest_remove,
	.dev_groups = edu_guest_groups,
};
module_pci_driver(edu_guest_driver);

MODULE_DESCRIPTION("Check of an assigned edu device, from inside the guest");
MODULE_LICENSE("GPL");
