// Leads a token and a registry through their lives with the vendor's SDK. The emulator's address, a credential and the
// id of a registry without tokens come from the environment; a failed assertion ends the process with an error.
import assert from 'node:assert/strict';
import sdk from '@ionos-cloud/sdk-nodejs-container-registry';

const { BASE_URL, TOKEN, REGISTRY_ID: registryId } = process.env;
// The SDK waits before each try, the first one included.
const config = new sdk.Configuration({ basePath: BASE_URL, apiKey: TOKEN }).setMaxWaitTime(0);
const tokens = new sdk.TokensApi(config);
const registries = new sdk.RegistriesApi(config);
const names = new sdk.NamesApi(config);
const locations = new sdk.LocationsApi(config);

// refused calls and returns the answer that the SDK throws.
async function refused(call, status) {
  try {
    await call();
  } catch (error) {
    assert.equal(error.response?.status, status, `${error}`);
    return error.response;
  }
  assert.fail(`not refused with ${status}`);
}

async function tokenLife() {
  const expiryDate = new Date(Date.now() + 72 * 3600 * 1000).toISOString();
  const scopes = [{ type: 'repository', name: 'team/app', actions: ['pull', 'push'] }];
  const created = await tokens.registriesTokensPost({
    registryId,
    postTokenInput: { properties: { name: 'node-token', expiryDate, scopes, status: 'enabled' } },
  });
  assert.equal(created.status, 201);
  const tokenId = created.data.id;
  assert.equal(created.data.properties.credentials.username, 'node-token');
  assert.ok(created.data.properties.credentials.password);
  assert.equal(created.headers.location, `/containerregistries/registries/${registryId}/tokens/${tokenId}`);

  const read = (await tokens.registriesTokensFindById({ registryId, tokenId })).data;
  assert.equal(read.properties.credentials.password, '');
  assert.deepEqual(read.properties.scopes, scopes);
  assert.equal(read.properties.expiryDate, expiryDate.replace(/\.\d+Z$/, 'Z'));
  assert.equal(read.metadata.state, 'enabled');

  const conflict = await refused(() => tokens.registriesTokensPost({
    registryId, postTokenInput: { properties: { name: 'node-token' } },
  }), 409);
  assert.equal(conflict.data.httpStatus, 409);

  const disabled = (await tokens.registriesTokensPatch({
    registryId, tokenId, patchTokenInput: { status: 'disabled' },
  })).data;
  assert.equal(disabled.properties.status, 'disabled');
  assert.deepEqual(disabled.properties.scopes, scopes);
  assert.ok(disabled.metadata.lastModifiedDate);
  const endless = (await tokens.registriesTokensPatch({
    registryId, tokenId, patchTokenInput: { expiryDate: null },
  })).data;
  assert.equal(endless.properties.expiryDate, null);
  assert.equal(endless.properties.status, 'disabled');

  const chosen = '8fb592e4-494c-41ed-b878-0242ac120002';
  const put = await tokens.registriesTokensPut({
    registryId, tokenId: chosen, putTokenInput: { properties: { name: 'chosen-token' } },
  });
  assert.equal(put.status, 201);
  assert.equal(put.data.id, chosen);
  const replaced = await tokens.registriesTokensPut({
    registryId, tokenId: chosen, putTokenInput: { properties: { name: 'chosen-token', status: 'disabled' } },
  });
  assert.equal(replaced.data.properties.credentials.password, '');
  assert.equal(replaced.data.metadata.state, 'disabled');

  const page = (await tokens.registriesTokensGet({ registryId, offset: '1', limit: '1' })).data;
  assert.deepEqual([page.count, page.total, page.offset, page.limit], [1, 2, 1, 1]);
  assert.equal(page.items[0].id, chosen);

  for (const id of [tokenId, chosen]) {
    assert.equal((await tokens.registriesTokensDelete({ registryId, tokenId: id })).status, 204);
    await refused(() => tokens.registriesTokensFindById({ registryId, tokenId: id }), 404);
  }
  assert.deepEqual((await tokens.registriesTokensGet({ registryId })).data.items, []);
}

async function registryLife() {
  const created = await registries.registriesPost({
    postRegistryInput: { properties: { name: 'node-registry', location: 'de/txl' } },
  });
  assert.equal(created.status, 201);
  assert.equal(created.data.metadata.state, 'New');
  const id = created.data.id;
  const garbageCollectionSchedule = { days: ['Monday'], time: '19:30:00+00:00' };
  const patched = await registries.registriesPatch({ registryId: id, patchRegistryInput: { garbageCollectionSchedule } });
  assert.deepEqual(patched.data.properties.garbageCollectionSchedule, garbageCollectionSchedule);
  assert.equal((await names.namesCheckUsage({ name: 'node-registry' })).status, 200);
  await refused(() => names.namesCheckUsage({ name: 'nobody-has-this' }), 404);
  assert.ok((await locations.locationsGet()).data.items.some((location) => location.id === 'de/txl'));

  const seen = [];
  for (let paginationToken; ; ) {
    const page = (await registries.registriesGet({ limit: '2', paginationToken })).data;
    seen.push(...page.items.map((registry) => registry.id));
    paginationToken = page.pagination.token;
    if (!paginationToken) break;
  }
  assert.equal(new Set(seen).size, seen.length);
  assert.ok(seen.includes(id));
  assert.equal((await registries.registriesGet({ filterName: 'NODE-' })).data.items[0].id, id);
  assert.equal((await registries.registriesDelete({ registryId: id })).status, 204);
}

await tokenLife();
await registryLife();

const nobody = new sdk.TokensApi(new sdk.Configuration({ basePath: BASE_URL }).setMaxWaitTime(0));
await refused(() => nobody.registriesTokensGet({ registryId }), 401);
console.log('both lives went well');
