// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data file of a migration: a queue of bytes that a device fills and a user
 * reads, or that a user writes and a device takes over.
 *
 * A stream is a row of records. Users may cut it anywhere; only the records'
 * own headers say where they end. Two hold a stream: the device while the
 * session lasts, and the file, which may outlive session, device and driver. So
 * a stream has a lock of its own, inner to the device's, and never looks at the
 * device. The device pushes what is to be saved; what is restored is put
 * together in memory of the stream and looked at when the session is over.
 * After the end of the session, whoever comes by the file gets ENODEV.
 *
 * While the device runs (PRE_COPY) it pushes its state each time it changes. A
 * record that may be replaced and of which nothing has been read yet is, so that
 * the queue stays short however long nobody reads it.
 */
#include <linux/anon_inodes.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "sample.h"

/* Of one record with its header: what a hostile stream can make us keep. */
#define MAX_RECORD	4096

/**
 * struct sample_stream - One migration session
 * @refs: the device's and the file's
 * @lock: guards all below
 * @wait: for those who poll
 * @is_over: the session has ended
 * @is_saving: fixed
 * @is_final: saving: nothing comes after what is in the queue
 * @is_bad: restoring: what was written is not valid
 * @queue: saving: bytes to be read; restoring: the record being written
 * @used: bytes in @queue
 * @pos: saving: bytes of @queue that were read
 * @initial: saving: bytes of @queue not read that were there at the beginning
 * @last: saving: where in @queue the last record begins
 * @last_type: its type, where it may be replaced, else 0
 * @accept: restoring: the driver's
 * @into: restoring: what @accept fills
 */
struct sample_stream {
	refcount_t refs;
	struct mutex lock; /* everything below */
	wait_queue_head_t wait;
	bool is_over;
	bool is_saving;
	bool is_final;
	bool is_bad;
	u8 *queue;
	size_t used;
	size_t pos;
	size_t initial;
	size_t last;
	u32 last_type;
	sample_accept_t *accept;
	void *into;
};

static void stream_put(struct sample_stream *stream)
{
	if (!refcount_dec_and_test(&stream->refs))
		return;
	kfree(stream->into);
	kfree(stream->queue);
	mutex_destroy(&stream->lock);
	kfree(stream);
}

static struct sample_stream *stream_new(void)
{
	struct sample_stream *stream = kzalloc(sizeof(*stream),
					       GFP_KERNEL_ACCOUNT);

	if (!stream)
		return ERR_PTR(-ENOMEM);

	refcount_set(&stream->refs, 1);
	mutex_init(&stream->lock);
	init_waitqueue_head(&stream->wait);

	/* A record that is being read, and one that waits. */
	stream->queue = kzalloc(2 * MAX_RECORD, GFP_KERNEL_ACCOUNT);
	if (!stream->queue) {
		stream_put(stream);
		return ERR_PTR(-ENOMEM);
	}
	return stream;
}

/* --- Saving ------------------------------------------------------------------ */

/**
 * sample_stream_save() - Begin to save a device
 *
 * What is pushed before sample_stream_file() is what PRE_COPY calls initial.
 *
 * Context: Process context. The device's lock may be held.
 * Return: the stream, for sample_stream_end(); or ERR_PTR() of -ENOMEM.
 */
struct sample_stream *sample_stream_save(void)
{
	struct sample_stream *stream = stream_new();

	if (!IS_ERR(stream))
		stream->is_saving = true;
	return stream;
}
EXPORT_SYMBOL_GPL(sample_stream_save);

/* Drops what was read, so that all the room is behind what was not. */
static void compact(struct sample_stream *stream)
{
	memmove(stream->queue, stream->queue + stream->pos,
		stream->used - stream->pos);
	stream->used -= stream->pos;
	/* A record that was begun to be read cannot be replaced any more. */
	if (stream->last < stream->pos)
		stream->last_type = 0;
	else
		stream->last -= stream->pos;
	stream->pos = 0;
}

/**
 * sample_stream_push() - Add a record to a stream that is saved
 * @stream: the stream
 * @type: type of the record, not 0
 * @data: what follows the record's header
 * @length: bytes of @data
 * @may_be_replaced: a later record of the same type makes this one superfluous
 *
 * Context: Process context. The device's lock may be held.
 * Return: 0; -ENOSPC where nobody reads and nothing can be replaced.
 */
int sample_stream_push(struct sample_stream *stream, u32 type,
		       const void *data, u32 length, bool may_be_replaced)
{
	struct sample_record record = {
		.type = cpu_to_le32(type),
		.length = cpu_to_le32(length),
	};

	guard(mutex)(&stream->lock);

	compact(stream);
	if (stream->last_type == type)
		stream->used = stream->last;
	if (length > MAX_RECORD - sizeof(record) ||
	    stream->used + sizeof(record) + length > 2 * MAX_RECORD)
		return -ENOSPC;

	stream->last = stream->used;
	stream->last_type = may_be_replaced ? type : 0;
	memcpy(stream->queue + stream->used, &record, sizeof(record));
	stream->used += sizeof(record);
	if (length)
		memcpy(stream->queue + stream->used, data, length);
	stream->used += length;
	wake_up_interruptible(&stream->wait);
	return 0;
}
EXPORT_SYMBOL_GPL(sample_stream_push);

/**
 * sample_stream_finish() - The device is stopped and all of it was pushed
 * @stream: the stream
 *
 * Context: Process context. The device's lock may be held.
 */
void sample_stream_finish(struct sample_stream *stream)
{
	guard(mutex)(&stream->lock);

	stream->is_final = true;
	wake_up_interruptible(&stream->wait);
}
EXPORT_SYMBOL_GPL(sample_stream_finish);

static ssize_t stream_read(struct file *file, char __user *buf, size_t count,
			   loff_t *ppos)
{
	struct sample_stream *stream = file->private_data;

	if (ppos)
		return -ESPIPE;

	guard(mutex)(&stream->lock);

	if (stream->is_over)
		return -ENODEV;
	count = min(count, stream->used - stream->pos);
	/* Nothing now, unlike at the end. */
	if (!count && stream->used == stream->pos && !stream->is_final)
		return -ENOMSG;
	if (copy_to_user(buf, stream->queue + stream->pos, count))
		return -EFAULT;

	stream->pos += count;
	stream->initial -= min(count, stream->initial);
	return count;
}

static int precopy_info(struct sample_stream *stream,
			struct vfio_precopy_info *info)
{
	guard(mutex)(&stream->lock);

	if (stream->is_over)
		return -ENODEV;
	if (stream->is_final)
		return -EINVAL;
	info->initial_bytes = stream->initial;
	info->dirty_bytes = stream->used - stream->pos - stream->initial;
	return 0;
}

static long stream_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg)
{
	struct sample_stream *stream = file->private_data;
	void __user *uarg = (void __user *)arg;
	struct vfio_precopy_info info = {};
	int ret;

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;

	ret = vfio_uarg_get(&info, sizeof(info),
			    offsetofend(struct vfio_precopy_info, dirty_bytes),
			    uarg);
	if (ret)
		return ret;
	info.flags = 0;
	ret = precopy_info(stream, &info);
	if (ret)
		return ret;
	return vfio_info_reply(uarg, &info, sizeof(info), NULL, NULL);
}

/* --- Restoring ---------------------------------------------------------------- */

/**
 * sample_stream_restore() - Begin to restore a device
 * @accept: takes records
 * @size: bytes of zeroed memory that it fills
 *
 * Context: Process context. The device's lock may be held.
 * Return: the stream, for sample_stream_end(); or ERR_PTR() of -ENOMEM.
 */
struct sample_stream *sample_stream_restore(sample_accept_t *accept,
					    size_t size)
{
	struct sample_stream *stream = stream_new();

	if (IS_ERR(stream))
		return stream;

	stream->accept = accept;
	stream->into = kzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!stream->into) {
		stream_put(stream);
		return ERR_PTR(-ENOMEM);
	}
	return stream;
}
EXPORT_SYMBOL_GPL(sample_stream_restore);

static const struct sample_record *record_of(const struct sample_stream *stream)
{
	return (const struct sample_record *)stream->queue;
}

/* Bytes of the record that is being written, as far as is known by now. */
static size_t record_size(const struct sample_stream *stream)
{
	if (stream->used < sizeof(struct sample_record))
		return sizeof(struct sample_record);
	return sizeof(struct sample_record) +
	       le32_to_cpu(record_of(stream)->length);
}

/* After more bytes came: is this a header that can be, a record that is whole? */
static int take_record(struct sample_stream *stream)
{
	const struct sample_record *record = record_of(stream);
	int ret;

	if (stream->used < sizeof(*record))
		return 0;
	if (le32_to_cpu(record->length) > MAX_RECORD - sizeof(*record))
		return -EINVAL;
	if (stream->used < record_size(stream))
		return 0;

	ret = stream->accept(stream->into, le32_to_cpu(record->type),
			     record + 1, le32_to_cpu(record->length));
	stream->used = 0;
	return ret;
}

static ssize_t stream_write(struct file *file, const char __user *buf,
			    size_t count, loff_t *ppos)
{
	struct sample_stream *stream = file->private_data;
	size_t done = 0;

	if (ppos)
		return -ESPIPE;

	guard(mutex)(&stream->lock);

	while (done < count) {
		size_t size;

		if (stream->is_over)
			return -ENODEV;
		if (stream->is_bad)
			return -EINVAL;

		/* Never beyond the record: it ends inside of the queue. */
		size = min(count - done, record_size(stream) - stream->used);
		if (copy_from_user(stream->queue + stream->used, buf + done,
				   size))
			return done ?: -EFAULT;
		stream->used += size;
		done += size;
		if (take_record(stream)) {
			stream->is_bad = true;
			return -EINVAL;
		}
		if (fatal_signal_pending(current))
			return done;
		cond_resched();
	}
	return done;
}

/**
 * sample_stream_restored() - What was put together from a stream
 * @stream: a stream that restores
 *
 * Context: Process context. The device's lock may be held.
 * Return: what accept filled, valid until sample_stream_end(); NULL where the
 * stream was not valid or stops within a record. Whether all came that should
 * the caller has to see.
 */
const void *sample_stream_restored(struct sample_stream *stream)
{
	guard(mutex)(&stream->lock);

	/* The caller looks at it without the lock: no more may be written. */
	stream->is_over = true;
	return stream->is_bad || stream->used ? NULL : stream->into;
}
EXPORT_SYMBOL_GPL(sample_stream_restored);

/* --- The file ------------------------------------------------------------------ */

static __poll_t stream_poll(struct file *file, poll_table *wait)
{
	struct sample_stream *stream = file->private_data;

	poll_wait(file, &stream->wait, wait);

	guard(mutex)(&stream->lock);

	if (stream->is_over)
		return EPOLLERR | EPOLLHUP;
	if (!stream->is_saving)
		return EPOLLOUT | EPOLLWRNORM;
	if (stream->used > stream->pos || stream->is_final)
		return EPOLLIN | EPOLLRDNORM;
	return 0;
}

static int stream_release(struct inode *inode, struct file *file)
{
	stream_put(file->private_data);
	return 0;
}

static const struct file_operations saving_fops = {
	.owner = THIS_MODULE,
	.read = stream_read,
	.poll = stream_poll,
	.unlocked_ioctl = stream_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = stream_release,
};

static const struct file_operations restoring_fops = {
	.owner = THIS_MODULE,
	.write = stream_write,
	.poll = stream_poll,
	.release = stream_release,
};

/**
 * sample_stream_file() - The file by which a user reaches a stream
 * @stream: the stream
 *
 * Context: Process context. The device's lock may be held.
 * Return: the file, with a reference of its own on the stream; or ERR_PTR() of
 * -ENOMEM or -ENFILE.
 */
struct file *sample_stream_file(struct sample_stream *stream)
{
	struct file *file;

	if (stream->is_saving)
		file = anon_inode_getfile("sample-save", &saving_fops, stream,
					  O_RDONLY);
	else
		file = anon_inode_getfile("sample-restore", &restoring_fops,
					  stream, O_WRONLY);
	if (IS_ERR(file))
		return file;

	refcount_inc(&stream->refs);
	stream_open(file_inode(file), file);
	stream->initial = stream->used;
	/* The beginning is not replaced: it says what the stream is. */
	stream->last_type = 0;
	return file;
}
EXPORT_SYMBOL_GPL(sample_stream_file);

/**
 * sample_stream_end() - End a session, from the device's side
 * @stream: the stream, not to be used any more
 *
 * When this returns the driver's accept does not run, nor will it.
 *
 * Context: Process context. The device's lock may be held.
 */
void sample_stream_end(struct sample_stream *stream)
{
	mutex_lock(&stream->lock);
	stream->is_over = true;
	wake_up_interruptible(&stream->wait);
	mutex_unlock(&stream->lock);
	stream_put(stream);
}
EXPORT_SYMBOL_GPL(sample_stream_end);
