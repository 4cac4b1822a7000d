import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** The template that a deployment puts in force. */
export const templateFile = (outDir: string): string => path.join(outDir, 'cloudformation-template-update-stack.json');

/** The packaged template, parsed. */
export const readTemplate = async (outDir: string): Promise<Template> =>
  JSON.parse(await readFile(templateFile(outDir), 'utf8')) as Template;

export type Template = { Resources: Record<string, { Type: string }> };

export type Ref = { Ref: string };
export type GetAtt = { 'Fn::GetAtt': [id: string, attribute: string] };
export type Sub = { 'Fn::Sub': string };
type OneOrMore<T> = T | T[];

export type Statement = {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Action: OneOrMore<string>;
  Resource: OneOrMore<string | Ref | GetAtt | Sub>;
  Principal?: string | { Service: string };
  Condition?: Record<string, Record<string, unknown>>;
};
export type PolicyDocument = { Version: string; Statement: Statement[] };

/** The properties that tests look at, by resource type. */
type PropertiesOf = {
  'AWS::Lambda::Function': {
    FunctionName: string;
    Handler: string;
    Runtime: string;
    Architectures: string[];
    Timeout: number;
    MemorySize: number;
    RecursiveLoop?: 'Allow' | 'Terminate';
    VpcConfig?: { SubnetIds: string[]; SecurityGroupIds: string[] };
    Role: GetAtt;
    Environment: { Variables: Record<string, string | Ref> };
  };
  'AWS::Lambda::EventSourceMapping': {
    BatchSize: number;
    MaximumBatchingWindowInSeconds?: number;
    EventSourceArn: GetAtt;
    FunctionName: GetAtt;
    FunctionResponseTypes?: string[];
    ScalingConfig?: { MaximumConcurrency: number };
  };
  'AWS::SQS::Queue': {
    QueueName: string;
    SqsManagedSseEnabled: boolean;
    VisibilityTimeout: number;
    MessageRetentionPeriod: number;
    MaximumMessageSize?: number;
    RedrivePolicy?: { deadLetterTargetArn: GetAtt; maxReceiveCount: number };
    RedriveAllowPolicy?: { redrivePermission: string; sourceQueueArns: Sub[] };
  };
  'AWS::SQS::QueuePolicy': { Queues: Ref[]; PolicyDocument: PolicyDocument };
  'AWS::DynamoDB::Table': Record<string, unknown>;
  'AWS::IAM::Role': {
    AssumeRolePolicyDocument: PolicyDocument;
    ManagedPolicyArns?: unknown[];
    Policies: { PolicyName: string; PolicyDocument: PolicyDocument }[];
  };
  'AWS::IAM::RolePolicy': { RoleName: Ref; PolicyDocument: PolicyDocument };
  'AWS::IAM::ManagedPolicy': { Roles: Ref[]; PolicyDocument: PolicyDocument };
  'AWS::Logs::LogGroup': { LogGroupName: string; RetentionInDays: number };
  'AWS::Scheduler::Schedule': {
    GroupName: Ref;
    ScheduleExpression: string;
    FlexibleTimeWindow: { Mode: 'OFF' | 'FLEXIBLE'; MaximumWindowInMinutes?: number };
    ScheduleExpressionTimezone: string;
    State: 'ENABLED' | 'DISABLED';
    Target: {
      Arn: GetAtt;
      RoleArn: GetAtt;
      Input: string;
      RetryPolicy: { MaximumRetryAttempts: number; MaximumEventAgeInSeconds: number };
    };
  };
  'AWS::CloudWatch::Alarm': Partial<MetricAddress> & {
    Metrics?: AlarmQuery[];
    Statistic?: string;
    Period?: number;
    EvaluationPeriods: number;
    DatapointsToAlarm: number;
    ComparisonOperator: string;
    AlarmDescription: string;
    AlarmActions: Ref[];
    OKActions?: Ref[];
    ActionsEnabled?: boolean;
    TreatMissingData: string;
    Threshold: number;
  };
  'AWS::CloudWatch::Dashboard': { DashboardName: string; DashboardBody: Sub };
};

/** One of what an alarm computes with: a metric, an expression over metrics, or a Metrics Insights query. */
type AlarmQuery = {
  Id: string;
  Expression?: string;
  Period?: number;
  MetricStat?: { Metric: MetricAddress; Period: number; Stat: string };
  ReturnData: boolean;
};

/** A metric as an alarm names it. */
export type MetricAddress = {
  Namespace: string;
  MetricName: string;
  Dimensions: { Name: string; Value: string | Ref | GetAtt }[];
};

/** The resources of one type, by logical id. */
export const resourcesOf = <T extends keyof PropertiesOf>(template: Template, type: T) =>
  Object.entries(template.Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([id, resource]) => {
      const { Properties, ...rest } = resource as unknown as {
        Properties: PropertiesOf[T];
        DeletionPolicy?: string;
        UpdateReplacePolicy?: string;
        DependsOn?: string[];
      };
      return { id, ...rest, properties: Properties };
    });

/** One resource by logical id. Throws where the template has none of that id and type. */
export const resource = <T extends keyof PropertiesOf>(template: Template, type: T, id: string): PropertiesOf[T] => {
  const found = resourcesOf(template, type).find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no ${type} ${id} in the template`);
  return found.properties;
};

export const listOf = <T>(value: OneOrMore<T>): T[] => (Array.isArray(value) ? value : [value]);
