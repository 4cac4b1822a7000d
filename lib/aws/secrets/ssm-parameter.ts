import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';

/** The decrypted value of a parameter in SSM Parameter Store; undefined where it has none. Throws the SDK's errors. */
export const readParameter = async (name: string): Promise<string | undefined> => {
  const client = new SSMClient();
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
    return Parameter?.Value;
  } finally {
    client.destroy();
  }
};
