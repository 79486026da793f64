// A dispatcher's day with Onfleet's own Node client, unchanged. Prints one JSON object per finished step.
// Environment: SDK (file URL of the package's entry), BASE (the pretended Onfleet), KEY, WORKER, TASK, NOW (ms).
const { SDK, BASE, KEY, WORKER, TASK, NOW } = process.env;
const { default: Onfleet } = await import(SDK);
const now = Number(NOW);
const hour = 3600 * 1000;
const onfleet = new Onfleet(KEY, 30000, null, BASE);
const tell = (step, value) => console.log(JSON.stringify({ step, value }));
const refusal = async (call) => {
  try {
    await call();
    return 'no refusal';
  } catch (error) {
    // 1.4.0 says `new` to a function that is no constructor: only the TypeError's words name what it understood.
    return error.message;
  }
};

tell('key', await onfleet.verifyKey());
tell('stranger', await new Onfleet('wrong', 30000, null, BASE).verifyKey());
tell('organization', (await onfleet.organization.get()).timezone);
tell('task', (await onfleet.tasks.get(TASK)).id);
const short = (await onfleet.tasks.get(TASK)).shortId;
tell('shortId', (await onfleet.tasks.get(short, 'shortId')).id);
tell('all', (await onfleet.tasks.get({ from: now - 24 * hour })).tasks.length);
const made = await onfleet.tasks.create({
  destination: { address: { unparsed: '14 Elm St, Norwalk, CT 06850, United States' } },
  recipients: [{ name: 'Ana Ruiz', phone: '+1 203 555 0177' }],
  completeAfter: now + hour,
  completeBefore: now + 3 * hour,
  metadata: [{ name: 'orderNo', type: 'string', value: 'A-1', visibility: ['api'] }],
});
tell('made', [made.state, made.destination.address.street, made.destination.location.length]);
tell('updated', (await onfleet.tasks.update(made.id, { notes: 'back door' })).notes);
tell('metadata', (await onfleet.tasks.matchMetadata([{ name: 'orderNo', type: 'string', value: 'A-1' }])).length);
tell('inserted', (await onfleet.workers.insertTask(WORKER, { tasks: [0, made.id] })).tasks[0] === made.id);
tell('container', (await onfleet.containers.get(WORKER, 'workers')).tasks[0] === made.id);
const copy = await onfleet.tasks.clone(made.id);
tell('clone', copy.sourceTaskId === made.id);
tell('batch', (await onfleet.tasks.batchCreate({ tasks: [{ destination: made.destination.id, recipients: [] }] })).tasks.length);
const job = await onfleet.tasks.batchCreateAsync({ tasks: [{ destination: made.destination.id, recipients: [] }] });
tell('job', (await onfleet.tasks.getBatch(job.jobId)).status);
tell('auto', (await onfleet.tasks.autoAssign({ tasks: [copy.id], options: { mode: 'load' } })).assignedTasks[copy.id]);
tell('workers', (await onfleet.workers.get()).map((worker) => worker.id));
tell('near', (await onfleet.workers.getByLocation({ longitude: -73.4, latitude: 41.1, radius: 10000 })).workers.length);
tell('held', (await onfleet.workers.getTasks(WORKER)).tasks.length);
const shifts = { entries: [{ date: '2026-06-09', timezone: 'America/New_York', shifts: [[now, now + hour]] }] };
tell('schedule', (await onfleet.workers.setSchedule(WORKER, shifts)).entries.length);
tell('scheduled', (await onfleet.workers.getSchedule(WORKER)).entries[0].date);
const team = await onfleet.teams.create({ name: 'East', workers: [WORKER] });
tell('team', [team.workers.length, (await onfleet.teams.get(team.id)).name]);
const hub = await onfleet.hubs.create({ name: 'Depot', address: { street: 'West Ave' }, location: [-73.41, 41.11], teams: [team.id] });
tell('hubs', (await onfleet.hubs.get()).length);
const eta = await onfleet.teams.getWorkerEta(team.id, { dropoffLocation: '-73.42,41.13', serviceTime: 120 });
tell('estimate', [eta.workerId, eta.steps.length, eta.steps[0].arrivalTime < now]);
tell('manifest', (await onfleet.workers.getDeliveryManifest({ hubId: hub.id, workerId: WORKER })).tasks.length);
const driver = await onfleet.workers.create({ name: 'Li Wei', phone: '+1 732 555 0155', teams: [team.id], capacity: 12 });
tell('driver', [driver.phone, driver.capacity, driver.onDuty]);
tell('renamed', (await onfleet.workers.update(driver.id, { name: 'Li W.' })).name);
const plan = await onfleet.routeplan.create({ name: 'Tuesday', startTime: now + hour });
tell('plan', (await onfleet.routeplan.addTasksToRoutePlan(plan.id, { tasks: [copy.id] })).tasks[0] === copy.id);
tell('planned', (await onfleet.routeplan.update(plan.id, { worker: driver.id })).worker === driver.id);
tell('plans', (await onfleet.routeplan.get({ workerId: driver.id })).length);
tell('noPlan', await onfleet.routeplan.deleteOne(plan.id));
tell('noDriver', await onfleet.workers.deleteOne(driver.id));
tell('recipient', (await onfleet.recipients.get('+12035550177', 'phone')).name);
tell('destination', (await onfleet.destinations.get(made.destination.id)).id === made.destination.id);
const admin = await onfleet.admins.create({ name: 'Kim', email: 'kim@example.com' });
tell('admin', (await onfleet.admins.update(admin.id, { name: 'Kim B.' })).name);
tell('webhooks', await onfleet.webhooks.get());
tell('deleted', await onfleet.tasks.deleteOne(made.id));
tell('gone', await refusal(() => onfleet.tasks.get(made.id)));
tell('denied', await refusal(() => new Onfleet('wrong', 30000, null, BASE).workers.get()));
